//! `tidelog completions` and `tidelog man`

use std::process::{Command, Stdio};

use testkit::process::Child;

use crate::support::{LIMIT, fail, run};

const NOWHERE: &str = "localhost:1";

#[test]
fn a_shell_completes_commands_and_arguments() {
    let script = run(NOWHERE, &["completions", "bash"]);
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("tidelog"), script).unwrap();
    let complete = |words: &str| {
        let last = words.split(' ').count() - 1;
        let line = format!(
            "source {}/tidelog; COMP_WORDS=({words} ''); COMP_CWORD={}; _tidelog tidelog '' ''; echo ${{COMPREPLY[*]}}",
            directory.path().display(),
            last + 1
        );
        let mut bash = Command::new("bash");
        let bash = Child::spawn(bash.args(["-c", &line]).stdin(Stdio::null())).unwrap();
        bash.finish(LIMIT).unwrap().success().unwrap().stdout
    };
    for command in ["serve", "produce", "consume", "topic", "config", "bench"] {
        assert!(complete("tidelog").split_whitespace().any(|word| word == command), "{command}");
    }
    assert!(complete("tidelog topic").contains("delete-records"));
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        assert!(run(NOWHERE, &["completions", shell]).contains("delete-records"), "{shell}");
    }
}

#[test]
fn each_command_has_a_page() {
    let page = run(NOWHERE, &["man"]);
    assert!(page.contains(".TH tidelog 1") && page.contains("tidelog\\-topic(1)"), "{page}");
    let page = run(NOWHERE, &["man", "topic", "create"]);
    assert!(page.contains("tidelog topic create") && page.contains("\\-\\-if\\-not\\-exists"), "{page}");
    let unknown = fail(NOWHERE, &["man", "topics"]);
    assert_eq!(unknown, "there is no command 'topics'; `tidelog help` lists those there are");

    let directory = tempfile::tempdir().unwrap();
    run(NOWHERE, &["man", "--dir", directory.path().to_str().unwrap()]);
    for page in ["tidelog.1", "tidelog-consume.1", "tidelog-topic-create.1"] {
        assert!(directory.path().join(page).is_file(), "{page}");
    }
    let nowhere = fail(NOWHERE, &["man", "--dir", "/nowhere/at/all"]);
    assert!(nowhere.starts_with("cannot write to /nowhere/at/all: "), "{nowhere}");
}
