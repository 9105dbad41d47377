//! `tidelog completions` and `tidelog man`: the command line for the shell and the manual.

use std::error::Error;
use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man as Page;

use super::output::print_text;

/// Arguments of `tidelog completions`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tidelog completions bash > /etc/bash_completion.d/tidelog
  tidelog completions zsh > \"${fpath[1]}/_tidelog\"
  tidelog completions fish > ~/.config/fish/completions/tidelog.fish")]
pub(crate) struct Completions {
    /// The shell: bash, zsh, fish, elvish, powershell
    #[arg(hide_possible_values = true)]
    shell: Shell,
}

/// Arguments of `tidelog man`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tidelog man consume | man -l -
  tidelog man --dir /usr/local/share/man/man1")]
pub(crate) struct Man {
    /// The command that the page is about [default: tidelog itself]
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
    /// Write the pages of all commands into this directory, as files
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    dir: Option<PathBuf>,
}

impl Completions {
    pub(crate) fn run(self, mut cli: Command) -> Result<(), Box<dyn Error>> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut cli, "tidelog", &mut script);
        Ok(print_text(&String::from_utf8(script)?)?)
    }
}

impl Man {
    pub(crate) fn run(self, cli: Command) -> Result<(), Box<dyn Error>> {
        if let Some(dir) = self.dir {
            return clap_mangen::generate_to(cli, &dir)
                .map_err(|why| format!("cannot write to {}: {why}", dir.display()).into());
        }
        let mut command = cli.disable_help_subcommand(true);
        // Gives each subcommand its whole name.
        command.build();
        let mut about = &command;
        for name in &self.command {
            let found = about.find_subcommand(name);
            about =
                found.ok_or_else(|| format!("there is no command '{name}'; `tidelog help` lists those there are"))?;
        }
        let mut page = Vec::new();
        let page_of = Page::new(about.clone()).source(concat!("tidelog ", env!("CARGO_PKG_VERSION"))).manual("Tidelog");
        page_of.render(&mut page)?;
        Ok(print_text(&String::from_utf8(page)?)?)
    }
}
