//! Being asked to stop.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;

use tokio::io::Interest;
use tokio::net::unix::pipe::Sender;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl-C and SIGTERM, from when this is made: they end a command in order instead of killing it.
pub(crate) struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Stop { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Returns at the next of them.
    pub(crate) async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Returns when nobody reads standard output any more, which a writer would notice only at its next line. Never, if it
/// is no pipe.
pub(crate) async fn output_closed() {
    match watched_output() {
        Ok(output) => drop(output.ready(Interest::ERROR).await),
        // A file: what is written there always arrives.
        Err(_) => std::future::pending().await,
    }
}

/// "Unchecked", since nothing is written through it: standard output must not become non-blocking for others.
fn watched_output() -> io::Result<Sender> {
    Sender::from_file_unchecked(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}
