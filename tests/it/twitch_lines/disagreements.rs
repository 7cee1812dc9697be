//! Where other people's parsers see a real line otherwise, and why we keep our reading.

use super::captures;
use super::facts::{self, Facts};
use super::witnesses::{self, Witness};

/// One field of one line, read in two ways.
struct Case<'a> {
    line: &'a str,
    who: &'static str,
    field: &'static str,
    ours: &'a Facts,
    theirs: &'a Facts,
}

/// A sort of disagreement: whose, in which fields, how to tell it, and why ours stands.
struct Reason {
    who: &'static [&'static str],
    fields: &'static [&'static str],
    holds: fn(&Case<'_>) -> bool,
    why: &'static str,
}

const BOTH: &[&str] = &["tmi", "twitch-irc"];

const REASONS: [Reason; 16] = [
    Reason {
        who: BOTH,
        fields: &["meaning"],
        holds: |case| case.refused() && case.ours("meaning") == "alert" && !case.line.contains("badge-info="),
        why: "alerts from before 2019 lack tags that came later; what is absent is absent, and the alert is kept",
    },
    Reason {
        who: BOTH,
        fields: &["meaning"],
        holds: |case| case.refused() && case.ours("meaning") == "message" && !case.line.contains("tmi-sent-ts="),
        why: "a message without a stamp was still said: it gets the time it was received",
    },
    Reason {
        who: &["twitch-irc"],
        fields: &["meaning"],
        holds: |case| {
            let is_stamped = case.line.contains("tmi-sent-ts=");
            case.refused() && is_stamped && case.ours("meaning") == "message" && !case.line.contains("badge-info=")
        },
        why: "a message is no worse for lacking badge-info",
    },
    Reason {
        who: BOTH,
        fields: &["grammar"],
        holds: |case| case.theirs() == "refused" && (case.line.contains("  ") || case.line.ends_with(' ')),
        why: "a run of spaces parts what one space parts",
    },
    Reason {
        who: &["twitch-irc"],
        fields: &["grammar"],
        holds: |case| {
            case.theirs() == "refused" && !case.ours("command").bytes().all(|byte| byte.is_ascii_alphabetic())
        },
        why: "an odd command is one we do not know, which is no error",
    },
    Reason {
        who: &["twitch-irc"],
        fields: &["grammar"],
        holds: |case| case.theirs() == "refused" && case.line.starts_with("@ "),
        why: "no tags after the mark are no tags",
    },
    Reason {
        who: &["tmi"],
        fields: &["grammar", "command", "prefix", "tags"],
        holds: |case| case.ours("grammar") == "refused" && case.theirs["command"].starts_with(':'),
        why: "it takes a prefix for the command where there is none",
    },
    Reason {
        who: BOTH,
        fields: &["system_text"],
        holds: |case| case.theirs().trim_end() == case.ours(case.field),
        why: "Twitch's sentence about anonymous gifts ends in a space, which says nothing",
    },
    Reason {
        who: &["tmi"],
        fields: &["system_text", "tags"],
        holds: |case| case.line.contains(r"\bla"),
        why: "it stops unescaping at an escape it does not know; the grammar says that `\\b` is `b`",
    },
    Reason {
        who: &["tmi"],
        fields: &["titles"],
        holds: |case| case.theirs().replace(r"\\s", " ").replace('⸝', ",") == case.ours(case.field),
        why: "it leaves a badge's title escaped, and the comma as Twitch's stand-in",
    },
    Reason {
        who: &["tmi"],
        fields: &["tags"],
        holds: |case| case.theirs() == case.ours(case.field).replace('⸝', ","),
        why: "it puts commas back in every tag, which in badge-info part the list; we do it in titles",
    },
    Reason {
        who: BOTH,
        fields: &["emotes"],
        holds: |case| !case.is_action_alert() && case.keeps_what_fits(),
        why: "ranges past the text's end (AutoMod shifts them) would show half a word as a picture",
    },
    Reason {
        who: BOTH,
        fields: &["emotes", "text"],
        holds: |case| case.is_action_alert(),
        why: "they leave /me wrapped in an alert, whose ranges count `ACTION ` but not the marks around it",
    },
    Reason {
        who: &["tmi"],
        fields: &["reply"],
        holds: |case| case.theirs().is_empty() && !case.line.contains("reply-thread-parent-user-login="),
        why: "replies from before threads are replies",
    },
    Reason {
        who: BOTH,
        fields: &["badges", "color", "login", "name", "user_id"],
        holds: |case| case.line.contains("msg-id=anonsub"),
        why: "the old anonymous gifts name the channel itself as the giver: it gave nothing, nobody is named",
    },
    Reason {
        who: &["twitch-irc"],
        fields: &["alert"],
        holds: |case| {
            let color_is_absent = !case.line.contains("msg-param-color=") && case.theirs() == "announcement ";
            color_is_absent || case.line.contains("msg-id=sharedchatnotice")
        },
        why: "a shared alert is of the kind it wraps; an announcement without a color has the default one",
    },
];

#[test]
fn other_parsers_agree_but_where_we_say_why() {
    let Some(lines) = captures() else { return };
    let mut used = [0; REASONS.len()];
    let mut compared = 0;
    for (line, witness) in lines.iter().flat_map(|line| witnesses::ALL.iter().map(move |witness| (line, witness))) {
        compared += hold_against(line, witness, &mut used);
    }
    for (reason, used) in REASONS.iter().zip(used) {
        assert!(used > 0, "nothing disagrees like this any more: {:?} {:?}: {}", reason.who, reason.fields, reason.why);
    }
    let disagreed: usize = used.iter().sum();
    eprintln!("{} lines, {compared} fields compared, {disagreed} disagreements, all with a reason", lines.len());
}

/// Compares one line with one witness; the number of fields compared.
fn hold_against(line: &str, witness: &Witness, used: &mut [usize]) -> usize {
    let views = [(facts::grammar(line), (witness.grammar)(line)), (facts::meaning(line), (witness.meaning)(line))];
    for (ours, theirs) in &views {
        for &field in theirs.keys() {
            let case = Case { line, who: witness.name, field, ours, theirs };
            if !case.agrees() {
                used[case.reason()] += 1;
            }
        }
    }
    views.iter().map(|(_, theirs)| theirs.len()).sum()
}

impl Case<'_> {
    fn ours(&self, field: &str) -> &str {
        self.ours.get(field).map_or("-", String::as_str)
    }

    fn theirs(&self) -> &str {
        &self.theirs[self.field]
    }

    /// Neither reading anything into a line is agreement, whether it is called an error or not.
    fn agrees(&self) -> bool {
        let neither = self.refused() && self.ours.is_empty();
        neither || self.ours(self.field) == self.theirs()
    }

    fn refused(&self) -> bool {
        self.field == "meaning" && self.theirs() == "refused"
    }

    fn is_action_alert(&self) -> bool {
        self.line.contains(" USERNOTICE ") && self.line.contains(":\u{1}ACTION ")
    }

    /// Whether ours are exactly those of theirs that end within the text.
    fn keeps_what_fits(&self) -> bool {
        let length = self.ours("text").chars().count();
        let read = |ranges: &str| serde_json::from_str::<Vec<String>>(ranges).unwrap();
        let fits = |range: &String| range.rsplit('-').next().unwrap().parse::<usize>().unwrap() < length;
        let theirs = read(self.theirs());
        theirs.into_iter().filter(fits).collect::<Vec<_>>() == read(self.ours("emotes"))
    }

    /// The one reason this falls under; no reason, or two, is a failure.
    fn reason(&self) -> usize {
        let applies = |reason: &Reason| {
            reason.who.contains(&self.who) && reason.fields.contains(&self.field) && (reason.holds)(self)
        };
        let found: Vec<_> = (0..REASONS.len()).filter(|&at| applies(&REASONS[at])).collect();
        let [at] = found[..] else {
            panic!(
                "{} reads {} otherwise, with {} listed reasons\n  ours   {}\n  theirs {}\n  line   {}",
                self.who,
                self.field,
                found.len(),
                self.ours(self.field),
                self.theirs(),
                self.line
            );
        };
        at
    }
}
