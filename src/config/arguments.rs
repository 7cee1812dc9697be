//! The arguments of another program as they may be shown. Rather too much is hidden than too little: nobody knows what
//! that program takes.

use super::REDACTED;

/// Parts of names of which nobody should read what belongs to them.
const SECRET: [&str; 10] =
    ["token", "secret", "pass", "key", "auth", "oauth", "cookie", "credential", "header", "bearer"];
/// How a secret says of which kind it is; what follows is the secret.
const SCHEMES: [&str; 5] = ["bearer", "basic", "digest", "oauth", "token"];
/// What may stand between a name and its value within one argument.
const APART: [char; 4] = ['=', ':', ' ', '\t'];

/// The arguments with `***` in the place of every secret.
pub fn shown(args: &[String]) -> Vec<String> {
    let mut is_next_hidden = false;
    let shown = args.iter().map(|arg| {
        let is_hidden = std::mem::replace(&mut is_next_hidden, announces_a_secret(arg));
        if is_hidden { REDACTED.to_owned() } else { without_value(&without_password(arg)) }
    });
    shown.collect()
}

/// What a program said, with `***` in the place of every secret it may have quoted.
pub fn without_secrets(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    shown(&words).join(" ")
}

/// Whether the next argument is a secret: this one is a flag that names one, or ends where it would begin.
fn announces_a_secret(arg: &str) -> bool {
    let last_word = arg.rsplit(APART).next().unwrap_or(arg);
    let is_scheme = SCHEMES.iter().any(|scheme| last_word.eq_ignore_ascii_case(scheme));
    let is_open = arg.starts_with('-') && !arg.contains(APART) || arg.ends_with(APART);
    is_scheme || is_open && is_secret(arg)
}

/// `--client-secret=X`, `--header=Authorization: X`, `Bearer X`: what follows the first name of a secret is hidden.
fn without_value(arg: &str) -> String {
    let names_a_secret = |at: &usize| is_secret(&arg[..*at]);
    match arg.match_indices(APART).map(|(at, _)| at).find(names_a_secret) {
        // Each of them is one byte long.
        Some(at) if at + 1 < arg.len() => format!("{}{REDACTED}", &arg[..=at]),
        _ => arg.to_owned(),
    }
}

/// `https://user:password@host`, also where the password has letters that an address would have to spell otherwise.
fn without_password(arg: &str) -> String {
    let Some((before, rest)) = arg.split_once("//") else { return arg.to_owned() };
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let (address, after) = rest.split_at(end);
    let host = &address[..address.find(['/', '?', '#']).unwrap_or(end)];
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain = !host.contains('@') && host.rsplit_once(':').is_none_or(|(_, port)| is_port(port));
    let address = match address.rsplit_once('@').filter(|_| !is_plain) {
        Some((_, host)) => format!("{REDACTED}@{host}"),
        None => address.to_owned(),
    };
    format!("{before}//{address}{}", without_password(after))
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(args: &[&str], expected: &[&str]) {
        let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
        assert_eq!(shown(&args), expected, "{args:?}");
    }

    #[test]
    fn what_is_no_secret_is_shown() {
        check(&["--stdout", "--format", "ndjson"], &["--stdout", "--format", "ndjson"]);
        check(&["--url=https://www.youtube.com/@name/live"], &["--url=https://www.youtube.com/@name/live"]);
        check(&["http://127.0.0.1:8080/@x?a=b", "-v"], &["http://127.0.0.1:8080/@x?a=b", "-v"]);
    }

    #[test]
    fn what_follows_the_flag_of_a_secret_is_hidden_whatever_it_looks_like() {
        check(&["--token", "canary", "--x"], &["--token", "***", "--x"]);
        check(&["--token", "-canary", "x"], &["--token", "***", "x"]);
        check(&["--token", "--client-secret", "canary", "x"], &["--token", "***", "***", "x"]);
        check(&["--auth", "canary", "--Cookie", "a=canary"], &["--auth", "***", "--Cookie", "***"]);
        check(&["-H", "Authorization:", "Bearer", "canary"], &["-H", "Authorization:", "***", "***"]);
        check(&["--header", "X-Any: canary", "x"], &["--header", "***", "x"]);
        check(&["--header=Authorization: Bearer", "canary"], &["--header=***", "***"]);
        check(&["--CREDENTIALS=", "canary"], &["--CREDENTIALS=", "***"]);
    }

    #[test]
    fn a_secret_within_an_argument_is_hidden() {
        check(&["--client-secret=canary", "-v"], &["--client-secret=***", "-v"]);
        check(&["--client-secret:canary", "API_KEY=canary"], &["--client-secret:***", "API_KEY=***"]);
        check(&["--auth canary"], &["--auth ***"]);
        check(&["--header=Authorization: canary", "-HAuthorization: canary"], &["--header=***", "-HAuthorization:***"]);
        check(&["Bearer canary", "--x=bearer canary"], &["Bearer ***", "--x=bearer ***"]);
        check(&["oauth:canary", "--nick=oauth:canary"], &["oauth:***", "--nick=oauth:***"]);
        check(&["https://x.test/?a=b&access_token=canary"], &["https://x.test/?a=b&access_token=***"]);
    }

    #[test]
    fn the_password_of_an_address_is_hidden() {
        check(&["--proxy=http://me:canary@x.test:80/p"], &["--proxy=http://***@x.test:80/p"]);
        check(&["http://me:can/ary@x.test", "http://canary@x.test"], &["http://***@x.test", "http://***@x.test"]);
        check(&["http://me:can@ary@x.test/y"], &["http://***@x.test/y"]);
        check(&["http://a.test http://me:canary@x.test"], &["http://a.test http://***@x.test"]);
        check(&["http://me:canary-secret:canary@x.test/?key=canary"], &["http://***@x.test/?key=***"]);
    }

    #[test]
    fn what_a_program_quotes_of_its_arguments_is_hidden() {
        let cases = [
            ("exit: invalid value for --token: oauth:canary", "exit: invalid value for --token: ***"),
            ("GET https://x.test/?access_token=canary failed", "GET https://x.test/?access_token=*** failed"),
            (
                "[ERROR] Maximum number of retries has been reached (1).",
                "[ERROR] Maximum number of retries has been reached (1).",
            ),
        ];
        for (said, told) in cases {
            assert_eq!(without_secrets(said), told);
        }
    }

    #[test]
    fn a_shown_list_is_shown_as_it_is() {
        let args = ["--token", "-x", "Bearer y", "--header=A: b", "http://me:word@x.test", "--auth:", "z"];
        let once = shown(&args.map(str::to_owned));
        assert_eq!(shown(&once), once);
    }
}
