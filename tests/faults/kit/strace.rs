//! System calls that fail, or during which the process is killed, by strace's fault injection.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use testkit::process::Launch;

/// How it is called. -D: strace is no parent, so that the process started is the broker.
const STRACE: [&str; 6] = ["strace", "-D", "-f", "-qqq", "-o", "/dev/null"];

/// Lets calls pass that are of no interest, without which a broker is several times slower. With it strace 6.1 does not
/// count the calls at which it is to send a signal.
const QUICKLY: &str = "--seccomp-bpf";

/// What happens at which call.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    /// The system call's name.
    pub(crate) call: &'static str,
    /// The first, second, ... one of a thread.
    pub(crate) number: usize,
    /// Counts only calls on these files. Any, if there are none.
    pub(crate) files: Vec<PathBuf>,
}

impl Fault {
    /// At a thread's call of this number.
    pub(crate) fn at(call: &'static str, number: usize) -> Self {
        Self { call, number, files: Vec::new() }
    }

    /// Counts only calls on these files.
    pub(crate) fn on(mut self, files: impl IntoIterator<Item = PathBuf>) -> Self {
        self.files.extend(files);
        self
    }

    /// Kills the process as it enters the call, which is not made any more.
    #[track_caller]
    pub(crate) fn kills(&self, launch: &Launch) -> Launch {
        self.injected(launch, &STRACE, "signal=SIGKILL")
    }

    /// That call fails with an I/O error, and no other.
    #[track_caller]
    pub(crate) fn fails(&self, launch: &Launch) -> Launch {
        self.injected(launch, &[&STRACE[..], &[QUICKLY]].concat(), "error=EIO")
    }

    #[track_caller]
    fn injected(&self, launch: &Launch, strace: &[&str], what: &str) -> Launch {
        check_rights();
        let Self { call, number, files } = self;
        let inject = format!("inject={call}:{what}:when={number}");
        let mut strace: Vec<String> = strace.iter().copied().map(str::to_owned).collect();
        strace.extend(["-e".to_owned(), format!("trace={call}"), "-e".to_owned(), "signal=none".to_owned()]);
        strace.extend(files.iter().flat_map(|file| ["-P".to_owned(), file.display().to_string()]));
        strace.extend(["-e".to_owned(), inject]);
        launch.clone().under(strace)
    }
}

/// Panics with what is missing, where nothing could be traced.
#[track_caller]
fn check_rights() {
    static COMPLAINT: OnceLock<String> = OnceLock::new();
    let complaint = COMPLAINT.get_or_init(|| match Command::new(STRACE[0]).args(&STRACE[1..]).arg("true").output() {
        Ok(output) if output.status.success() => String::new(),
        Ok(output) => format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr)),
        Err(error) => error.to_string(),
    });
    let needed = "these tests break system calls with strace, which must be installed and allowed to";
    assert!(complaint.is_empty(), "{needed}: {complaint}");
}
