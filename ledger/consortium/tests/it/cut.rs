//! Nodes cut off, slow links, lost packets, too few validators.

use std::time::{Duration, Instant};

use ledger_consortium::{Signed, Submission};
use ledger_core::Height;

use crate::fixture::{anchor, key, until};
use crate::relay::Relay;
use crate::town::{Node, Town};

/// How long it may take until a healed network is at work again. On a machine that does nothing else it
/// is one to three seconds; here it must only tell that from rounds that wait ever longer and
/// connections that TCP gives up after minutes, whatever else the machine does.
const BACK_AT_WORK: Duration = Duration::from_secs(20);

/// Goal: a validator that is cut off, both ways, while the others go on, catches up once it is back,
/// although nothing happens on the chain any more and nobody restarts anything. Method: its links carry
/// nothing, with connections left standing; three transactions; heal; wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_cut_off_catches_up_on_an_idle_chain() {
    let town = Town::new(4, 4).await;
    let nodes = town.start_all(0..4).await;
    nodes[0].submit(anchor(town.chain, &key(0), 0)).await;
    until("the first block everywhere", || {
        nodes.iter().all(|node| node.height() >= nodes[0].height())
    })
    .await;
    town.links_of(3).for_each(Relay::cut);
    for nonce in 0..3 {
        nodes[1].submit(anchor(town.chain, &key(1), nonce)).await;
    }
    let goal = nodes[1].height();
    assert!(nodes[3].height() < goal);
    until("the one cut off to be missed", || {
        let quorum = nodes[0].consortium.status().quorum;
        quorum.missing.iter().any(|one| one.key == key(3).public())
    })
    .await;
    town.links_of(3).for_each(Relay::heal);
    let healed = Instant::now();
    until("the missed blocks", || nodes[3].height() >= goal).await;
    assert!(healed.elapsed() < BACK_AT_WORK, "{:?}", healed.elapsed());
    // And it takes part again.
    nodes[3].submit(anchor(town.chain, &key(3), 0)).await;
    town.finish(nodes).await;
}

/// Goal: below a quorum nothing becomes final, the node says in plain words who is missing, and once a
/// quorum is back the waiting transaction is final soon. Method: stop two of four, submit, start one
/// again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn below_a_quorum_it_says_so_and_goes_on_by_itself() {
    let town = Town::new(4, 4).await;
    let mut nodes = town.start_all(0..4).await;
    nodes[0].submit(anchor(town.chain, &key(0), 0)).await;
    for _ in 0..2 {
        let node: Node = nodes.pop().unwrap();
        node.consortium.shutdown().await;
    }
    let submission = nodes[0].consortium.submit(anchor(town.chain, &key(0), 1));
    let submission = submission.await.unwrap();
    let id = submission.id();
    until("the missing to be noticed", || {
        !nodes[0].consortium.status().quorum.is_reached()
    })
    .await;
    let said = nodes[0].consortium.status().quorum.to_string();
    assert_eq!(
        said,
        "2 of 4 validators are heard; 3 must sign each block. Missing: validator 2, validator 3. \
         Nothing becomes final until one of them is back; what is stored stays readable, and what is \
         submitted waits."
    );
    // Long enough for the two to have begun in vain.
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(!nodes[0].has(&id));
    nodes.push(town.start(2).await);
    let back = Instant::now();
    until("progress", || nodes[0].has(&id)).await;
    let took = back.elapsed();
    assert!(took < BACK_AT_WORK, "{took:?}");
    // Who was away is told from who signs, be it late.
    let tip = nodes[0].height();
    let blocks = nodes[0].consortium.participation(Height(1), tip).unwrap();
    assert_eq!(blocks.len() as u64, tip.0);
    let last = &blocks.last().unwrap().validators;
    let of = |number: u8| last.iter().find(|(one, _)| *one == key(number).public());
    assert_eq!(of(3).unwrap().1, Signed::NotSeen, "{last:?}");
    for number in 0..3 {
        assert_eq!(
            of(number).unwrap().1,
            Signed::InTime,
            "three of four must sign"
        );
    }
    nodes.push(town.start(3).await);
    // It may learn of the first ones through catching up, without a vote of its own.
    for nonce in 0.. {
        assert!(nonce < 20, "it never signs");
        nodes[3].submit(anchor(town.chain, &key(3), nonce)).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let tip = nodes[0].height();
        let blocks = nodes[0].consortium.participation(tip, tip).unwrap();
        let signed = |(_, signed): &(_, Signed)| *signed != Signed::NotSeen;
        if blocks[0].validators.iter().all(signed) {
            break;
        }
    }
    town.finish(nodes).await;
}

/// Goal: a network cut in two halves stands still, loses nothing and forks nowhere; healed, it goes on by
/// itself. Method: two and two, a transaction submitted in each half, for long enough that every
/// connection between them is given up; heal; both are final everywhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_halves_stand_still_and_heal() {
    let town = Town::new(4, 4).await;
    let nodes = town.start_all(0..4).await;
    nodes[0].submit(anchor(town.chain, &key(0), 0)).await;
    town.links_between(&[0, 1], &[2, 3]).for_each(Relay::cut);
    let mut submissions = Vec::new();
    for (number, nonce) in [(0, 1), (2, 0)] {
        let transaction = anchor(town.chain, &key(number), nonce);
        let submission = nodes[usize::from(number)].consortium.submit(transaction);
        submissions.push(submission.await.unwrap());
    }
    let ids: Vec<_> = submissions.iter().map(Submission::id).collect();
    until("both halves to know", || {
        nodes
            .iter()
            .all(|node| !node.consortium.status().quorum.is_reached())
    })
    .await;
    assert!(!nodes.iter().any(|node| ids.iter().any(|id| node.has(id))));
    town.links_between(&[0, 1], &[2, 3]).for_each(Relay::heal);
    let healed = Instant::now();
    until("both everywhere", || {
        nodes.iter().all(|node| ids.iter().all(|id| node.has(id)))
    })
    .await;
    let took = healed.elapsed();
    assert!(took < BACK_AT_WORK, "{took:?}");
    town.finish(nodes).await;
}

/// Goal: slow and lossy links cost time, not agreement. Method: 25 ms each way and three lost of a
/// hundred on every link; submit at every node.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_and_lossy_links_cost_time_only() {
    let town = Town::new(4, 4).await;
    for link in town.links() {
        link.delay(Duration::from_millis(25));
        link.lose(3);
    }
    let nodes = town.start_all(0..4).await;
    for nonce in 0..3 {
        for node in &nodes {
            node.submit(anchor(town.chain, &key(node.number), nonce))
                .await;
        }
    }
    // Both ways at once are seen by the nodes' own clocks: the delay is measured, the clocks agree.
    until("the delay to be measured", || {
        let peers = nodes[0].consortium.status().peers;
        peers.len() == 3 && peers.iter().all(|peer| peer.clock.is_some())
    })
    .await;
    for peer in nodes[0].consortium.status().peers {
        let clock = peer.clock.unwrap();
        assert!(peer.delay_micros >= Some(25_000), "{peer:?}");
        let error = clock.ahead_micros.unsigned_abs();
        assert!(
            error <= clock.within_micros,
            "one machine has one clock: {peer:?}"
        );
    }
    town.finish(nodes).await;
}
