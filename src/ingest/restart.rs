//! The owner's word that every listener leaves and comes back at once. It knows no listener.

use std::sync::Arc;

use tokio::sync::watch;

/// Cloning is cheap, and every clone calls the same listeners.
#[derive(Debug, Clone, Default)]
pub struct Restart(Arc<watch::Sender<u64>>);

impl Restart {
    /// Calls whoever listens now. What is asked for several times before a listener heard it happens once.
    pub fn call(&self) {
        self.0.send_modify(|calls| *calls += 1);
    }

    /// What a supervisor waits on. Only calls from now on are heard.
    pub fn calls(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}
