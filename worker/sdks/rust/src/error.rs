use std::{fmt, io};

/// Why a processor has ended other than in good order.
///
/// A program that returns it from `main` ends with an exit code other than 0, and is started
/// again by whoever has started it.
#[non_exhaustive]
pub enum Error {
    /// The environment does not say what the program needs.
    Environment(String),
    /// The socket can't be reached.
    Connect {
        /// The path of the socket.
        socket: String,
        /// What is wrong with it.
        error: io::Error,
    },
    /// The connection broke.
    Connection(io::Error),
    /// The worker has ended the connection without saying that it closes in good order.
    Ended,
    /// The worker has given this process up, and says why.
    GivenUp(String),
    /// The worker has broken the protocol.
    Protocol(String),
}

// Programs return it from main, which writes this form.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(problem) => f.write_str(problem),
            Self::Connect { socket, error } => {
                write!(f, "connecting to the worker at {socket}: {error}")
            }
            Self::Connection(error) => write!(f, "the connection to the worker broke: {error}"),
            Self::Ended => f.write_str("the worker has closed the connection without a word"),
            Self::GivenUp(reason) => write!(f, "the worker has given up this process: {reason}"),
            Self::Protocol(problem) => write!(f, "the worker has broken the protocol: {problem}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Connect { error, .. } | Self::Connection(error) => Some(error),
            _ => None,
        }
    }
}
