//! From numbers to Markdown, and into the document between the marks of a section.

use std::fmt::Write as _;
use std::path::Path;

use super::machine;

/// One part of the document.
pub struct Section {
    pub name: &'static str,
    text: String,
    aims: Vec<Aim>,
}

struct Aim {
    what: String,
    aim: String,
    result: String,
    holds: bool,
}

impl Section {
    pub fn new(name: &'static str) -> Self {
        let text = format!("Measured on {}\n\n", machine::describe());
        Self { name, text, aims: Vec::new() }
    }

    pub fn say(&mut self, paragraph: &str) {
        write!(self.text, "{paragraph}\n\n").expect("memory takes what is written");
    }

    /// A table; the first column holds names, the others numbers.
    pub fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        let rule: String = (0..head.len()).map(|n| if n == 0 { "---" } else { " | ---:" }).collect();
        let mut table = format!("| {} |\n| {rule} |\n", head.join(" | "));
        for row in rows {
            writeln!(table, "| {} |", row.join(" | ")).expect("memory takes what is written");
        }
        self.say(table.trim_end());
    }

    /// A result that should be at most the aim.
    pub fn at_most(&mut self, what: &str, aim: f64, result: f64, unit: &str) {
        self.aim(what, format!("≤ {} {unit}", short(aim)), format!("{} {unit}", short(result)), result <= aim);
    }

    /// A result that should be at least the aim.
    pub fn at_least(&mut self, what: &str, aim: f64, result: f64, unit: &str) {
        self.aim(what, format!("≥ {} {unit}", short(aim)), format!("{} {unit}", short(result)), result >= aim);
    }

    fn aim(&mut self, what: &str, aim: String, result: String, holds: bool) {
        self.aims.push(Aim { what: what.to_owned(), aim, result, holds });
    }

    pub fn markdown(&self) -> String {
        let mut text = self.text.clone();
        if !self.aims.is_empty() {
            text.push_str("| aim | | result | holds |\n| --- | ---: | ---: | --- |\n");
            for aim in &self.aims {
                let holds = if aim.holds { "yes" } else { "**no**" };
                writeln!(text, "| {} | {} | {} | {holds} |", aim.what, aim.aim, aim.result)
                    .expect("memory takes what is written");
            }
        }
        text.trim_end().to_owned() + "\n"
    }

    /// Replaces what the document says between this section's marks.
    pub fn write_into(&self, document: &Path) {
        let path = document.display();
        let text = std::fs::read_to_string(document).unwrap_or_else(|error| panic!("{path}: {error}"));
        let (open, close) = (format!("<!-- measured: {} -->\n", self.name), "<!-- end -->");
        let (before, rest) = text.split_once(&open).unwrap_or_else(|| panic!("{path} has no `{}`", open.trim_end()));
        let (_, after) = rest.split_once(close).unwrap_or_else(|| panic!("{path} has no `{close}` after it"));
        let text = format!("{before}{open}\n{}\n{close}{after}", self.markdown());
        std::fs::write(document, text).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
}

/// Three digits where there are more than that before the point, else as many as tell something.
pub fn short(number: f64) -> String {
    match number.abs() {
        big if big >= 10_000.0 => grouped(number),
        big if big >= 100.0 => format!("{number:.0}"),
        some if some >= 10.0 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}

/// A whole number with its thousands apart.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) && digit != '-' {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

pub fn median(numbers: &[f64]) -> f64 {
    percentile(numbers, 0.5)
}

/// The number that this part of them lies below.
pub fn percentile(numbers: &[f64], part: f64) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (part * (sorted.len() as f64 - 1.0)).round() as usize;
    sorted.get(place).copied().unwrap_or(f64::NAN)
}

/// The median of ratios taken round by round, as neighbors in time had the same machine.
pub fn ratio(ours: &[f64], others: &[f64]) -> f64 {
    let ratios: Vec<f64> = ours.iter().zip(others).map(|(ours, other)| ours / other).collect();
    median(&ratios)
}
