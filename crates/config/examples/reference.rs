//! Prints `docs/reference/configuration.md`.

fn main() {
    print!("{}", config::reference_page());
}
