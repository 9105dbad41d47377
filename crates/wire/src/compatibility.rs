//! The table of APIs as a page for people.

use std::fmt::Write;

use crate::{APIS, Api, Support};

/// What Tidelog serves of Kafka's APIs and what not, in Markdown, from [`APIS`]: the part of
/// `docs/compatibility.md` that a test holds against this function.
pub fn compatibility_tables() -> String {
    let mut page = String::new();
    let served = |api: &Api| {
        let versions = api.served()?;
        let told = api.advertised().filter(|advertised| *advertised != versions);
        let note = told.map_or(String::new(), |advertised| format!(" (advertised as {advertised})"));
        Some([api.kafka.to_string(), format!("{versions}{note}")])
    };
    let later = |api: &Api| match api.support {
        Support::Later(with) => Some([api.kafka.to_string(), with.to_owned()]),
        _ => None,
    };
    let left_out = |api: &Api| match api.support {
        Support::LeftOut(why) => Some([api.kafka.to_string(), why.to_owned()]),
        _ => None,
    };
    table(&mut page, "Served", "Tidelog", served);
    table(&mut page, "Not served yet", "comes with", later);
    table(&mut page, "Left out on purpose", "why", left_out);
    page
}

fn table(page: &mut String, title: &str, ours: &str, cells: impl Fn(&Api) -> Option<[String; 2]>) {
    let rows: Vec<_> = APIS.iter().filter_map(|api| Some((api, cells(api)?))).collect();
    if rows.is_empty() {
        return;
    }
    let mut line =
        |text: std::fmt::Arguments<'_>| writeln!(page, "{text}").expect("a string takes all that is written");
    line(format_args!("## {title}: {} of {} APIs\n", rows.len(), APIS.len()));
    line(format_args!("|key|API|Kafka 4.4.0|{ours}|\n|--:|---|---|---|"));
    for (api, [kafka, cell]) in rows {
        line(format_args!("|{}|{}|{kafka}|{cell}|", api.key.code(), api.name));
    }
    line(format_args!(""));
}
