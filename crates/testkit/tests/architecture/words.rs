//! Who may name what. A crate that names files, clocks, threads or randomness by itself can't be simulated.

use crate::none;
use crate::workspace::{Line, code};

/// Words, and the only places where they may stand.
struct Rule {
    words: &'static [&'static str],
    /// Beginnings of paths.
    only: &'static [&'static str],
    why: &'static str,
}

/// Test harness and command line are processes of their own: they are never simulated.
const PROCESSES: [&str; 2] = ["crates/testkit/", "crates/tidelog/"];

#[track_caller]
fn hold(rules: &[Rule], exempt: &[&str]) {
    let lines = code();
    assert!(lines.len() > 10_000, "only {} lines of code were found", lines.len());
    let under = |line: &Line, paths: &[&str]| paths.iter().any(|path| line.path.starts_with(path));
    for Rule { words, only, why } in rules {
        let strangers = lines.iter().filter(|line| !under(line, only) && !under(line, exempt));
        let offences = strangers.filter_map(|line| {
            let word = words.iter().find(|word| line.names(word))?;
            Some(format!("{}:{}: names {word}", line.path, line.number))
        });
        none(why, offences.collect());
    }
}

#[test]
fn only_disk_touches_files() {
    let files = Rule {
        words: &["fs", "memmap2", "pwritev", "O_DIRECT"],
        // The binary's own files: configuration, `--ready-file`, what `tidelog produce` reads, pages of the manual.
        only: &["crates/disk/src/", "crates/tidelog/src/"],
        why: "files are behind `disk::Disk`, whose simulated twin crashes and fills up on demand:",
    };
    hold(&[files], &["crates/testkit/"]);
}

#[test]
fn only_raft_names_openraft_and_only_the_wire_names_kafka_protocol() {
    let openraft = Rule {
        words: &["openraft", "openraft_rt_tokio"],
        only: &["crates/raft/src/core/"],
        why: "openraft is an implementation of `raft`'s interface, not a part of it:",
    };
    let kafka = Rule {
        words: &["kafka_protocol"],
        only: &["crates/wire/src/", "crates/client/src/", "crates/broker/src/"],
        why: "below the broker nobody knows Kafka's messages:",
    };
    hold(&[openraft, kafka], &[]);
}

#[test]
fn time_randomness_and_threads_come_through_the_seams() {
    let seams: &[&str] = &["crates/model/src/seams.rs"];
    let wall_clock = Rule { words: &["SystemTime", "chrono"], only: seams, why: "the wall clock is `model::Clock`:" };
    let randomness = Rule {
        words: &["rand", "thread_rng", "getrandom", "Uuid::new_v4", "RandomState"],
        // openraft's way to ask for it; what it is given comes from a seed.
        only: &["crates/model/src/seams.rs", "crates/raft/src/core/runtime.rs"],
        why: "random bytes come from `model::Random`:",
    };
    let threads = Rule {
        words: &["thread::spawn", "thread::Builder", "thread::scope", "spawn_blocking", "block_in_place"],
        only: seams,
        why: "threads come from `model::Executor`:",
    };
    hold(&[wall_clock, randomness, threads], &PROCESSES);
}

#[test]
fn a_stopwatch_is_tokios() {
    let lines = code();
    let held = lines.iter().filter(|line| !PROCESSES.iter().any(|path| line.path.starts_with(path)));
    let offences = held.filter(|line| ["std", "time", "Instant"].iter().all(|word| line.names(word)));
    none(
        "`tokio::time::Instant` goes by simulated time, the standard library's does not:",
        offences.map(|line| format!("{}:{}: {}", line.path, line.number, line.code.trim())).collect(),
    );
}

#[test]
fn what_apply_runs_reads_no_clock_and_draws_no_lots() {
    let clock = Rule {
        words: &["Clock", "now_ms()", "tokio::time"],
        only: &[
            "crates/model/",
            "crates/broker/",
            "crates/console/",
            "crates/client/",
            // Heartbeats, silence, deadlines and nonces: nothing that apply could ask.
            "crates/peer/",
            // Timers of the journal's writer, and of openraft.
            "crates/journal/src/writer/",
            "crates/raft/src/core/",
            // When a leader last heard of a follower.
            "crates/raft/src/members.rs",
            // The handle waits for the answer to a command; apply is elsewhere.
            "crates/controller/src/controller/",
        ],
        why: "time comes in as an argument, or with the entry:",
    };
    let lots = Rule {
        words: &["Random"],
        only: &[
            "crates/model/",
            "crates/broker/",
            "crates/peer/",
            // Member ids and topic ids are drawn before they are proposed.
            "crates/coordinator/src/classic/",
            "crates/controller/src/controller/",
        ],
        why: "what is drawn by lot stands in the entry:",
    };
    hold(&[clock, lots], &PROCESSES);
}

#[test]
fn no_order_depends_on_a_random_hash() {
    let maps = Rule {
        words: &["HashMap", "HashSet"],
        only: &[],
        why: "iteration order would differ in each run: take BTreeMap, or FxHashMap where only looked up:",
    };
    hold(&[maps], &PROCESSES);
}

#[test]
fn unsafe_stands_in_one_module() {
    let rule = Rule {
        words: &["unsafe", "unsafe_code"],
        only: &["crates/disk/src/raw.rs"],
        why: "`unsafe` stands in one module, each use with its argument:",
    };
    hold(&[rule], &[]);
}

#[test]
fn only_the_binary_prints() {
    let rule = Rule {
        words: &["println!", "eprintln!", "print!", "eprint!", "process::exit"],
        only: &["crates/tidelog/"],
        why: "a library tells by `tracing` or by an error:",
    };
    hold(&[rule], &["crates/testkit/"]);
}

#[test]
fn a_handler_holds_no_state() {
    let lines = code();
    let handlers = lines.iter().filter(|line| line.path.starts_with("crates/broker/src/api/"));
    let state = ["static", "Mutex", "RwLock", "RefCell", "OnceLock", "LazyLock", "thread_local!"];
    let offences = handlers.filter_map(|line| {
        let word = state.iter().find(|word| line.names(word))?;
        Some(format!("{}:{}: names {word}", line.path, line.number))
    });
    none("what outlives a request belongs to `Broker`, not to a handler:", offences.collect());
}
