//! Resources that this process uses: CPU, memory, files, threads. A few system calls read all of them.

use std::fs;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

/// Resources that this process uses at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// CPU time so far, over all threads.
    pub cpu: Duration,
    /// Resident memory, in bytes.
    pub resident_bytes: Option<u64>,
    /// Open file descriptors.
    pub open_files: Option<u64>,
    /// Maximum number of open file descriptors; `None` if there is no limit.
    pub files_limit: Option<u64>,
    /// Number of threads.
    pub threads: Option<u64>,
}

impl Process {
    /// Reads the current values from the kernel.
    pub fn now() -> Self {
        Self { threads: threads(), ..Self::without_threads() }
    }

    /// Reads all values but the number of threads, whose file costs the kernel more than all others together.
    pub(super) fn without_threads() -> Self {
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        Self {
            cpu: Duration::try_from(cpu).unwrap_or_default(),
            resident_bytes: resident_bytes(),
            open_files: open_files(),
            files_limit: getrlimit(Resource::Nofile).current,
            threads: None,
        }
    }

    /// Returns the number of cores that this process may use: those of its affinity and of its cgroup's quota,
    /// rounded down.
    pub fn cores() -> usize {
        std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
    }
}

/// Returns the resident memory in bytes. `statm` has it as its second number, in pages (proc_pid_statm(5)).
fn resident_bytes() -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

/// Counts the open files. Since Linux 6.2 the size of the folder is their number (proc_pid_fd(5)); on older kernels
/// the folder has to be read.
fn open_files() -> Option<u64> {
    let folder = "/proc/self/fd";
    match fs::metadata(folder).ok()?.len() {
        // The listing includes the descriptor of the folder itself.
        0 => Some((fs::read_dir(folder).ok()?.count() as u64).saturating_sub(1)),
        open => Some(open),
    }
}

fn threads() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("Threads:"))?;
    line.trim().parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_this_process_does_is_seen() {
        let before = Process::now();
        let files: Vec<_> = (0..50).map(|_| fs::File::open("/dev/null").expect("opened")).collect();
        let memory = vec![1_u8; 32 << 20];
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || stopped.recv());
        let after = Process::now();
        // Other tests run in this process too, and open, close and free their own: these are lower bounds.
        assert!(after.open_files >= Some(50), "{after:?}");
        assert!(after.resident_bytes >= Some(32 << 20), "{after:?}");
        assert!(after.threads.is_some_and(|threads| threads >= 2));
        assert!(after.cpu > before.cpu);
        assert!(memory.iter().all(|byte| *byte == 1));
        drop((files, stop));
        assert!(thread.join().expect("no panic").is_err());
    }
}
