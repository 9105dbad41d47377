//! Asking before something is done that cannot be undone.

use std::io::{self, BufRead, IsTerminal, Write};

use clap::Args;

use super::Failure;

/// Part of every command that destroys something.
#[derive(Args)]
pub(crate) struct Confirm {
    /// Do not ask; without a terminal nobody is asked
    #[arg(long, short)]
    yes: bool,
}

impl Confirm {
    /// Says what will be done, and asks if a person is there to answer.
    ///
    /// # Errors
    /// They said no.
    pub(crate) fn ask(&self, what: &str) -> Result<(), Failure> {
        if self.yes || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Ok(());
        }
        ask(what, &mut io::stdin().lock(), &mut io::stderr())
    }
}

fn ask(what: &str, answers: &mut impl BufRead, questions: &mut impl Write) -> Result<(), Failure> {
    write!(questions, "{what}\nGo on? [y/N] ")?;
    questions.flush()?;
    let mut answer = String::new();
    answers.read_line(&mut answer)?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err("nothing is changed".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        for (answer, is_yes) in
            [("y\n", true), ("Yes\n", true), ("\n", false), ("n\n", false), ("yeah\n", false), ("", false)]
        {
            let mut question = Vec::new();
            assert_eq!(ask("deletes t", &mut answer.as_bytes(), &mut question).is_ok(), is_yes, "{answer:?}");
            assert_eq!(String::from_utf8(question).unwrap(), "deletes t\nGo on? [y/N] ");
        }
    }
}
