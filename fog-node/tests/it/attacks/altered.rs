//! Goal: ciphertext that was altered at rest shows nothing, and everything else goes on. Method: bytes of the vault of a
//! stopped node. `disclosure/package.rs` and `disclosure/wrapped.rs` alter what is on its way.

use std::path::Path;
use std::time::Duration;

use fog_node::people::sessions::SessionRules;
use serde_json::Value;

use crate::served::Served;

/// Changes the last byte of the segment that holds a reading, which is named by its stream and its place in it.
fn alter(data: &Path, reading: &str) {
    let (stream, sequence) = reading.split_once('.').unwrap();
    let last = "substr(sealed, -1)";
    let other = format!("CASE {last} WHEN x'00' THEN x'01' ELSE x'00' END");
    let changed = format!("CAST(substr(sealed, 1, length(sealed) - 1) || {other} AS BLOB)");
    let vault = rusqlite::Connection::open(data.join("vault.db")).unwrap();
    let changed = vault.execute(
        &format!(
            "UPDATE payloads SET sealed = {changed} WHERE stream = (SELECT number FROM streams WHERE id = x'{stream}') \
             AND {sequence} BETWEEN first_sequence AND first_sequence + count - 1"
        ),
        [],
    );
    assert_eq!(changed, Ok(1));
}

/// The place of a reading in its stream.
fn place(reading: &Value) -> u64 {
    let (_, sequence) = reading["id"].as_str().unwrap().split_once('.').unwrap();
    sequence.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn ciphertext_that_was_altered_at_rest_shows_nothing() {
    let served = Served::with_demo(2).await;
    let devices = served.json("/api/devices").await;
    let [one, two] = [0, 1].map(|number| devices[number]["id"].as_str().unwrap().to_owned());
    let altered = served.final_reading(&one).await;
    let code = altered["code"].as_str().unwrap();
    let all = format!("/api/readings?device={one}&metric={code}&limit=10000");
    // A node opens the newest segment of a stream when it starts; this one is to lie below it.
    while place(&served.json(&all).await[0]) < place(&altered) + 5 {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let id = altered["id"].as_str().unwrap();
    let folder = served.stop().await;
    alter(folder.path(), id);
    let served = Served::at(folder, None, SessionRules::default()).await;
    for path in [format!("/api/readings/{id}"), all] {
        let (status, said) = served.get(&path).await;
        let said = String::from_utf8_lossy(&said);
        assert!(
            status == 500 && said.contains("API-50"),
            "{path}: {status} {said}"
        );
    }
    // Others' readings are there, and so is the node.
    served.final_reading(&two).await;
    served.end().await;
}
