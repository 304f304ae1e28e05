//! Maps socket errors to the faults of requests.

use std::io;

use rustix::io::Errno;

use crate::vocabulary::outcome::Fault;

/// Returns the fault of a socket error. Resources that this machine lacks are checked first: they are never the
/// origin's fault.
pub(super) fn fault(error: &io::Error) -> Fault {
    match Errno::from_io_error(error) {
        Some(Errno::MFILE | Errno::NFILE) => return Fault::LocalFiles,
        Some(Errno::ADDRNOTAVAIL | Errno::ADDRINUSE) => return Fault::LocalPorts,
        Some(Errno::NOBUFS | Errno::NOMEM) => return Fault::LocalMemory,
        _ => {}
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Fault::ConnRefused,
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            Fault::ConnReset
        }
        io::ErrorKind::UnexpectedEof => Fault::ConnEof,
        io::ErrorKind::TimedOut => Fault::TimeoutConnect,
        io::ErrorKind::InvalidData => Fault::TlsHandshake,
        _ => Fault::ConnUnreachable,
    }
}

/// Returns the fault of an error on a connection that was usable before.
pub(super) fn transfer_fault(error: &io::Error) -> Fault {
    match fault(error) {
        Fault::ConnUnreachable | Fault::ConnRefused | Fault::TimeoutConnect => Fault::ConnReset,
        fault => fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_machine_lacks_is_never_the_origins_fault() {
        for (errno, expected) in [
            (Errno::MFILE, Fault::LocalFiles),
            (Errno::NFILE, Fault::LocalFiles),
            (Errno::ADDRNOTAVAIL, Fault::LocalPorts),
            (Errno::NOBUFS, Fault::LocalMemory),
            (Errno::NOMEM, Fault::LocalMemory),
            (Errno::CONNREFUSED, Fault::ConnRefused),
            (Errno::CONNRESET, Fault::ConnReset),
            (Errno::PIPE, Fault::ConnReset),
            (Errno::HOSTUNREACH, Fault::ConnUnreachable),
            (Errno::NETUNREACH, Fault::ConnUnreachable),
            (Errno::TIMEDOUT, Fault::TimeoutConnect),
        ] {
            assert_eq!(fault(&io::Error::from(errno)), expected, "{errno:?}");
        }
    }
}
