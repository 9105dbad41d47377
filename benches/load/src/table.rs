//! The table, row by row as they are measured.

use std::fs;
use std::time::Duration;

use crate::contender::{Contender, Durability};
use crate::figures::Figures;
use crate::rows::Row;

/// The machine, the contenders, and the names of the columns.
pub(crate) fn head(contenders: &[Contender]) {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let cpu = read("/proc/cpuinfo");
    let cpu =
        cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map_or("?", |(_, name)| name);
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg");
    let load: Vec<&str> = load.split_whitespace().take(3).collect();
    println!("{processors} cores of {cpu}, Linux {}, load {} at the start", kernel.trim(), load.join(" "));
    for (letter, contender) in ('a'..).zip(contenders) {
        println!("{letter}: {contender}");
    }
    println!(
        "\n{:<13} {:<8} {:>1} {:>10} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9} {:>8}  ratios to a",
        "row", "mode", "", "records/s", "MB/s", "p50", "p99", "p99.9", "CPU s/M", "sleeps/rq", "memory"
    );
}

/// One line for each contender.
pub(crate) fn row(row: Row, durability: Option<Durability>, contenders: &[Contender], figures: &[Figures]) {
    for ((letter, _), figures_of_one) in ('a'..).zip(contenders).zip(figures) {
        let first = &figures[0];
        let ratios = if letter == 'a' { String::new() } else { ratios(figures_of_one, first) };
        let latency = |share| figures_of_one.latency(share).map_or("-".to_owned(), time);
        let or_dash = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.2}"));
        let memory = figures_of_one.usage.map_or("-".to_owned(), |usage| format!("{} M", usage.memory_kib >> 10));
        let rate = |rate: f64, digits: usize| match figures_of_one.bytes {
            0 => "-".to_owned(), // nothing but starts
            _ => format!("{rate:.digits$}"),
        };
        println!(
            "{:<13} {:<8} {letter:>1} {:>10} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9} {memory:>8}  {ratios}",
            row.name(),
            durability.map_or("-", |durability| match durability {
                Durability::Fsync => "fsync",
                Durability::Relaxed => "relaxed",
            }),
            rate(figures_of_one.records_per_second(), 0),
            rate(figures_of_one.megabytes_per_second(), 1),
            latency(0.5),
            latency(0.99),
            latency(0.999),
            or_dash(figures_of_one.cpu()),
            or_dash(figures_of_one.sleeps()),
        );
    }
}

/// Where it stands to the first contender: more records are better, less of the rest.
fn ratios(figures: &Figures, first: &Figures) -> String {
    let seconds = |figures: &Figures| figures.latency(0.5).map(|latency| latency.as_secs_f64());
    let speed = |figures: &Figures| (figures.bytes > 0).then(|| figures.records_per_second());
    let of = |name: &str, own: Option<f64>, firsts: Option<f64>| {
        own.zip(firsts).map(|(own, firsts)| format!("{name} x{:.2}", own / firsts))
    };
    let all = [
        of("records/s", speed(figures), speed(first)),
        of("CPU", figures.cpu(), first.cpu()),
        of("p50", seconds(figures), seconds(first)),
        of("sleeps", figures.sleeps(), first.sleeps()),
    ];
    all.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn time(time: Duration) -> String {
    match time.as_micros() {
        micros @ ..10_000 => format!("{micros} us"),
        micros => format!("{:.1} ms", micros as f64 / 1000.0),
    }
}
