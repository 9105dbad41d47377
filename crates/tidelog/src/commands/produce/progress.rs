//! How far it has got, for a person who waits for a long pipe.

use std::io::{self, IsTerminal};
use std::time::Duration;

use client::Producer;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::input::Input;

/// What takes no longer needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// With a size that is known there is an end in sight.
const WITH_END: &str = "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} to go, {msg}";
const WITHOUT_END: &str = "{spinner} {bytes}, {bytes_per_sec}, {msg}";

/// A bar on standard error; none where nobody watches, or somebody types.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    is_shown: bool,
}

impl Progress {
    pub(super) fn new(inputs: &[Input]) -> Self {
        let typed = inputs.iter().any(|input| input.name == super::input::STANDARD_INPUT) && io::stdin().is_terminal();
        if typed || !io::stderr().is_terminal() {
            return Progress { bar: None, is_shown: false };
        }
        let total: Option<u64> = inputs.iter().map(|input| input.size_bytes).sum();
        let (bar, template) = match total {
            Some(total) => (ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden()), WITH_END),
            None => (ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()), WITHOUT_END),
        };
        let style = ProgressStyle::with_template(template).expect("both templates are well-formed");
        Progress { bar: Some(bar.with_style(style)), is_shown: false }
    }

    /// More was read and sent.
    pub(super) fn read(&mut self, bytes: usize, producer: &Producer) {
        let Some(bar) = &self.bar else { return };
        if !self.is_shown && bar.elapsed() >= PATIENCE {
            bar.set_draw_target(ProgressDrawTarget::stderr());
            self.is_shown = true;
        }
        bar.set_message(format!("{} records written", producer.written().records));
        bar.inc(bytes as u64);
    }

    /// Nothing more will be: the bar goes, since what is printed next says it all.
    pub(super) fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
