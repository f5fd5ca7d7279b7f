//! Connects to the worker.

use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use crate::session::End;
use crate::Error;

const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Connects, and waits while the socket is not there yet. It returns `None` if the process is
/// asked to end before.
pub fn connect(socket: &str, ends: &Receiver<End>) -> Result<Option<UnixStream>, Error> {
    let mut wait = FIRST_WAIT;
    loop {
        match UnixStream::connect(socket) {
            Ok(stream) => return Ok(Some(stream)),
            // The worker does not listen yet, or has not taken the connections that wait.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::ConnectionRefused | ErrorKind::WouldBlock
                ) => {}
            Err(error) => return Err(Error::Connect { socket: socket.into(), error }),
        }
        match ends.recv_timeout(wait) {
            Err(RecvTimeoutError::Timeout) => wait = (2 * wait).min(LONGEST_WAIT),
            // Of a connection that is open already.
            Ok(End::Lost(error)) => return Err(error),
            _ => return Ok(None),
        }
    }
}
