//! A link between two nodes that can be cut, slowed and made lossy: a small TCP relay on loopback.
//!
//! **Cut** is a cable that is pulled behind a firewall that forgets: connections that stand stay open at
//! both ends and carry nothing, for ever; new ones are turned away until the link heals. **Delay** holds
//! every byte back for a time, without narrowing the link. **Loss** holds back what was "lost" for as
//! long as TCP would take to send it again, and all behind it with it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// What TCP waits at least before it sends a lost segment again.
const RETRANSMISSION: Duration = Duration::from_millis(200);
/// Chunks on their way in one direction.
const ON_THE_WAY: usize = 1024;

#[derive(Default)]
struct Weather {
    delay_micros: AtomicU64,
    /// Chunks lost, of a hundred.
    loss_percent: AtomicU32,
    chunks: AtomicU32,
}

/// One relay: what connects to [`Relay::address`] talks to the node behind it.
pub struct Relay {
    /// Where to dial instead of the node itself.
    pub address: SocketAddr,
    weather: Arc<Weather>,
    /// Whether the link stands; each cut begins a new count, so that old connections know theirs is over.
    cuts: Mutex<u32>,
    state: watch::Sender<(bool, u32)>,
    listener: tokio::task::JoinHandle<()>,
}

impl Relay {
    /// A relay to `target`, on a free port.
    pub async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let weather = Arc::new(Weather::default());
        let (state, stands) = watch::channel((true, 0));
        let listener = tokio::spawn(accept(listener, target, Arc::clone(&weather), stands));
        Self {
            address,
            weather,
            cuts: Mutex::new(0),
            state,
            listener,
        }
    }

    /// Pulls the cable.
    pub fn cut(&self) {
        let mut cuts = self.cuts.lock().unwrap();
        *cuts += 1;
        self.state.send_replace((false, *cuts));
    }

    /// Plugs it in again.
    pub fn heal(&self) {
        let cuts = *self.cuts.lock().unwrap();
        self.state.send_replace((true, cuts));
    }

    /// Each byte takes so much longer.
    pub fn delay(&self, delay: Duration) {
        let micros = delay.as_micros() as u64;
        self.weather.delay_micros.store(micros, Ordering::Relaxed);
    }

    /// So many chunks of a hundred are lost at first.
    pub fn lose(&self, percent: u32) {
        self.weather.loss_percent.store(percent, Ordering::Relaxed);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn accept(
    listener: TcpListener,
    target: SocketAddr,
    weather: Arc<Weather>,
    state: watch::Receiver<(bool, u32)>,
) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        let (stands, count) = *state.borrow();
        if !stands {
            continue;
        }
        let Ok(far) = TcpStream::connect(target).await else {
            continue;
        };
        for stream in [&near, &far] {
            stream.set_nodelay(true).unwrap();
        }
        let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
        for (from, to) in [(near_in, far_out), (far_in, near_out)] {
            connections.spawn(carry(from, to, Arc::clone(&weather), state.clone(), count));
        }
    }
}

/// Carries bytes one way until an end closes; after a cut it keeps both ends open and carries nothing.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    weather: Arc<Weather>,
    mut state: watch::Receiver<(bool, u32)>,
    count: u32,
) {
    let (send, mut due) = mpsc::channel::<(Instant, Vec<u8>)>(ON_THE_WAY);
    let reader = async {
        let mut chunk = vec![0; 16 * 1024];
        let mut last = Instant::now();
        while let Ok(length @ 1..) = from.read(&mut chunk).await {
            let micros = weather.delay_micros.load(Ordering::Relaxed);
            let mut at = Instant::now() + Duration::from_micros(micros);
            let number = weather.chunks.fetch_add(1, Ordering::Relaxed);
            // Spread evenly, and the same each time: 37 and 100 have no common divisor.
            if number.wrapping_mul(37) % 100 < weather.loss_percent.load(Ordering::Relaxed) {
                at += RETRANSMISSION;
            }
            last = at.max(last);
            if send.send((last, chunk[..length].to_vec())).await.is_err() {
                break;
            }
        }
        drop(send);
    };
    let writer = async {
        while let Some((at, bytes)) = due.recv().await {
            tokio::time::sleep_until(at).await;
            if to.write_all(&bytes).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        _ = async { tokio::join!(reader, writer) } => return,
        _ = state.wait_for(|(_, cuts)| *cuts != count) => {}
    }
    // Cut: what comes is swallowed, until the node gives up on this connection.
    let mut chunk = vec![0; 16 * 1024];
    while let Ok(1..) = from.read(&mut chunk).await {}
    drop(to);
}
