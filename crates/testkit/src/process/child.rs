//! A child process whose output is read as it comes, and which is killed when it is dropped.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::ProcessError;

/// One of a process's two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// A running process. Dropping it kills it (SIGKILL) and waits for its end.
#[derive(Debug)]
pub struct Child {
    program: String,
    inner: std::process::Child,
    output: Arc<Output>,
    readers: Vec<JoinHandle<()>>,
    status: Option<ExitStatus>,
}

/// A process that has ended, with all it printed.
#[derive(Debug)]
pub struct Finished {
    /// How it ended; `code()` is None if by a signal.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Child {
    /// Starts `command` with its outputs collected. Its standard input is what `command` says (by default the
    /// test's own: give `Stdio::null()` or `piped()`).
    ///
    /// # Errors
    /// [`ProcessError::Start`].
    pub fn spawn(command: &mut Command) -> Result<Self, ProcessError> {
        let program = command.get_program().to_string_lossy().into_owned();
        let mut inner = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| ProcessError::Start { program: program.clone(), source })?;
        let output = Arc::new(Output::default());
        let mut readers = Vec::new();
        if let Some(pipe) = inner.stdout.take() {
            readers.push(collect(pipe, Stream::Out, &output));
        }
        if let Some(pipe) = inner.stderr.take() {
            readers.push(collect(pipe, Stream::Err, &output));
        }
        Ok(Self { program, inner, output, readers, status: None })
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.inner.id()
    }

    /// The write end of its standard input, once, if it was piped.
    pub fn stdin(&mut self) -> Option<std::process::ChildStdin> {
        self.inner.stdin.take()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.status.is_none() && matches!(self.inner.try_wait(), Ok(None))
    }

    /// All lines printed so far, both outputs in the order of their arrival.
    pub fn printed(&self) -> String {
        self.output.text(None)
    }

    /// Waits for a line of either output for which `wanted` returns something, lines printed earlier included.
    /// `what` completes "did not ..." in the error.
    ///
    /// # Errors
    /// [`ProcessError::TimedOut`], or [`ProcessError::Ended`] if the process ended without such a line.
    pub fn wait_for_line<T>(
        &mut self,
        what: &str,
        limit: Duration,
        wanted: impl FnMut(&str) -> Option<T>,
    ) -> Result<T, ProcessError> {
        match self.output.wait_for(limit, wanted) {
            Wait::Found(found) => Ok(found),
            Wait::TimedOut => Err(self.timed_out(what, limit)),
            Wait::Closed => {
                self.signal(Signal::KILL)?;
                let status = self.reap()?;
                Err(ProcessError::Ended {
                    program: self.program.clone(),
                    status: status.to_string(),
                    what: what.to_owned(),
                    output: self.printed(),
                })
            }
        }
    }

    /// Waits for `count` lines of either output that contain `text`, and returns these lines.
    ///
    /// # Errors
    /// As [`Child::wait_for_line`].
    pub fn wait_for_lines(&mut self, text: &str, count: usize, limit: Duration) -> Result<Vec<String>, ProcessError> {
        let mut seen = Vec::new();
        self.wait_for_line(&format!("print {count} lines with {text:?}"), limit, |line| {
            if line.contains(text) {
                seen.push(line.to_owned());
            }
            (seen.len() >= count).then_some(())
        })?;
        Ok(seen)
    }

    /// Waits for its end. Past `limit` it is killed.
    ///
    /// # Errors
    /// [`ProcessError::TimedOut`].
    pub fn finish(mut self, limit: Duration) -> Result<Finished, ProcessError> {
        Ok(Finished {
            status: self.wait(limit)?,
            stdout: self.output.text(Some(Stream::Out)),
            stderr: self.output.text(Some(Stream::Err)),
        })
    }

    /// Waits for its end, leaving it to be asked for what it printed. Past `limit` it is killed.
    ///
    /// # Errors
    /// [`ProcessError::TimedOut`].
    pub fn wait(&mut self, limit: Duration) -> Result<ExitStatus, ProcessError> {
        self.await_end("end", limit)?;
        self.reap()
    }

    /// SIGTERM, then waits for its end. Past `limit` it is killed, and that is an error.
    ///
    /// # Errors
    /// [`ProcessError::TimedOut`].
    pub fn terminate(&mut self, limit: Duration) -> Result<ExitStatus, ProcessError> {
        self.signal(Signal::TERM)?;
        self.await_end("end after SIGTERM", limit)?;
        self.reap()
    }

    /// SIGKILL, then waits for its end.
    ///
    /// # Errors
    /// [`ProcessError::Control`].
    pub fn kill(&mut self) -> Result<(), ProcessError> {
        self.signal(Signal::KILL)?;
        self.reap().map(drop)
    }

    /// Sends a signal. A process that has ended already is no error.
    ///
    /// # Errors
    /// [`ProcessError::Control`].
    pub fn signal(&mut self, signal: Signal) -> Result<(), ProcessError> {
        if self.status.is_some() {
            return Ok(());
        }
        match rustix::process::kill_process(Pid::from_child(&self.inner), signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(self.control(error.into())),
        }
    }

    /// Both outputs closed means ended, for the programs run here: none closes them early or leaves them to a
    /// child of its own.
    fn await_end(&mut self, what: &str, limit: Duration) -> Result<(), ProcessError> {
        match self.output.wait_for(limit, |_| None::<()>) {
            Wait::TimedOut => {
                let error = self.timed_out(what, limit);
                self.kill()?;
                Err(error)
            }
            _ => Ok(()),
        }
    }

    fn reap(&mut self) -> Result<ExitStatus, ProcessError> {
        if let Some(status) = self.status {
            return Ok(status);
        }
        let status = self.inner.wait().map_err(|source| self.control(source))?;
        self.status = Some(status);
        for reader in self.readers.drain(..) {
            // A reader ends at the pipe's end and has nothing of its own to panic about.
            drop(reader.join());
        }
        Ok(status)
    }

    fn timed_out(&self, what: &str, limit: Duration) -> ProcessError {
        ProcessError::TimedOut { program: self.program.clone(), what: what.to_owned(), limit, output: self.printed() }
    }

    fn control(&self, source: std::io::Error) -> ProcessError {
        ProcessError::Control { program: self.program.clone(), source }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            eprintln!("{error}");
        }
    }
}

impl Finished {
    /// Itself if the exit code is 0.
    ///
    /// # Errors
    /// [`ProcessError::Ended`] with both outputs.
    pub fn success(self) -> Result<Self, ProcessError> {
        if self.status.success() {
            return Ok(self);
        }
        Err(ProcessError::Ended {
            program: "the program".to_owned(),
            status: self.status.to_string(),
            what: "succeed".to_owned(),
            output: format!("{}{}", self.stdout, self.stderr),
        })
    }
}

enum Wait<T> {
    Found(T),
    TimedOut,
    Closed,
}

#[derive(Debug, Default)]
struct Output {
    collected: Mutex<Collected>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Collected {
    lines: Vec<(Stream, String)>,
    open: usize,
}

impl Output {
    /// A reader thread that panicked would leave whole lines behind: the poison says nothing.
    fn lock(&self) -> MutexGuard<'_, Collected> {
        self.collected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for<T>(&self, limit: Duration, mut wanted: impl FnMut(&str) -> Option<T>) -> Wait<T> {
        let deadline = Instant::now() + limit;
        let mut looked_at = 0;
        let mut collected = self.lock();
        loop {
            for (_, line) in &collected.lines[looked_at..] {
                if let Some(found) = wanted(line) {
                    return Wait::Found(found);
                }
            }
            looked_at = collected.lines.len();
            if collected.open == 0 {
                return Wait::Closed;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Wait::TimedOut;
            }
            collected = self.changed.wait_timeout(collected, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn text(&self, stream: Option<Stream>) -> String {
        let collected = self.lock();
        let lines = collected.lines.iter().filter(|(from, _)| stream.is_none_or(|wanted| *from == wanted));
        lines.fold(String::new(), |text, (_, line)| text + line + "\n")
    }
}

fn collect(pipe: impl Read + Send + 'static, stream: Stream, output: &Arc<Output>) -> JoinHandle<()> {
    output.lock().open += 1;
    let output = Arc::clone(output);
    std::thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while matches!(pipe.read_until(b'\n', &mut line), Ok(1..)) {
            let text = String::from_utf8_lossy(line.trim_ascii_end()).into_owned();
            output.lock().lines.push((stream, text));
            output.changed.notify_all();
            line.clear();
        }
        output.lock().open -= 1;
        output.changed.notify_all();
    })
}
