//! Times as other programs write them: RFC 3339, or a count since the epoch whose unit shows in its size.

use serde_json::Value;

use crate::chat::Millis;

/// Counts below are seconds, up to the year 5138; in milliseconds they would lie before 1973.
const SECONDS: i64 = 100_000_000_000;
/// Counts below are milliseconds, above microseconds, and so on by the same measure.
const MILLIS: i64 = SECONDS * 1000;
const MICROS: i64 = MILLIS * 1000;
/// Stamps past the year 9999 are no dates.
const LAST_MILLIS: i64 = 253_402_300_799_999;

/// A point in time from a JSON number or text; none for what is no date.
pub fn of(value: &Value) -> Option<Millis> {
    match value {
        Value::String(text) => of_text(text),
        Value::Number(number) => match number.as_i64() {
            Some(count) => of_count(count),
            None => number.as_f64().and_then(of_fraction),
        },
        _ => None,
    }
}

pub fn of_text(text: &str) -> Option<Millis> {
    let text = text.trim();
    match text.parse::<i64>() {
        Ok(count) => of_count(count),
        Err(_) => match text.parse::<f64>() {
            Ok(count) => of_fraction(count),
            Err(_) => Millis::parse(text).and_then(date),
        },
    }
}

/// Seconds, milliseconds, microseconds or nanoseconds since the epoch.
pub fn of_count(count: i64) -> Option<Millis> {
    let millis = match count {
        ..SECONDS => count.checked_mul(1000)?,
        SECONDS..MILLIS => count,
        MILLIS..MICROS => count / 1000,
        _ => count / 1_000_000,
    };
    date(Millis(millis))
}

/// A count with a fraction, which matters in seconds alone.
fn of_fraction(count: f64) -> Option<Millis> {
    match count.abs() {
        size if size < SECONDS as f64 => date(Millis((count * 1000.0) as i64)),
        size if size < i64::MAX as f64 => of_count(count as i64),
        _ => None,
    }
}

fn date(at: Millis) -> Option<Millis> {
    (1..=LAST_MILLIS).contains(&at.0).then_some(at)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_time_is_read_in_every_unit() {
        let at = Some(Millis(1_570_678_496_000));
        let same = [
            json!("2019-10-10T03:34:56Z"),
            json!("2019-10-10T05:34:56+02:00"),
            json!(1_570_678_496),
            json!(1_570_678_496.0),
            json!("1570678496"),
            json!(1_570_678_496_000_i64),
            json!("1570678496000"),
            json!(1_570_678_496_000_000_i64),
            json!(1_570_678_496_000_000.0),
            json!(1_570_678_496_000_000_000_i64),
        ];
        for value in same {
            assert_eq!(of(&value), at, "{value}");
        }
        assert_eq!(of(&json!(1_570_678_496.25)), Some(Millis(1_570_678_496_250)));
    }

    #[test]
    fn what_is_no_date_is_none() {
        let bad = [
            json!("yesterday"),
            json!(0),
            json!(-5),
            json!(i64::MIN),
            json!(f64::MAX),
            json!("NaN"),
            json!([1]),
            json!(null),
        ];
        for value in bad {
            assert_eq!(of(&value), None, "{value}");
        }
    }
}
