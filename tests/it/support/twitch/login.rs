//! How a client gets in: capabilities, name and token, and the welcome.

use super::book::End;
use super::fault::Fault;
use super::session::{HOST, Over, Result, Session};

const OFFERED: [&str; 3] = ["twitch.tv/tags", "twitch.tv/commands", "twitch.tv/membership"];

impl Session {
    pub(super) async fn capability(&mut self, rest: &str) -> Result<()> {
        let (verb, wanted) = rest.split_once(' ').unwrap_or((rest, ""));
        match verb {
            "LS" => {
                self.negotiating = true;
                self.write(vec![format!(":{HOST} CAP * LS :{}", OFFERED.join(" "))]).await
            }
            "REQ" => {
                let wanted = wanted.trim_start_matches(':').trim();
                let known = wanted.split(' ').all(|capability| OFFERED.contains(&capability));
                if known {
                    self.note(|c| c.capabilities.extend(wanted.split(' ').map(str::to_owned)));
                }
                self.write(vec![format!(":{HOST} CAP * {} :{wanted}", if known { "ACK" } else { "NAK" })]).await
            }
            "END" => {
                self.negotiating = false;
                self.welcome().await
            }
            _ => Ok(()),
        }
    }

    /// A name completes the log-in. A token that is not taken is refused, and the connection closed.
    pub(super) async fn nick(&mut self, nick: &str) -> Result<Option<Over>> {
        self.note(|connection| connection.nick = Some(nick.to_ascii_lowercase()));
        let token = self.look(|connection| connection.token.clone());
        let anonymous = nick.starts_with("justinfan");
        let refusal = match token.as_deref().map(|token| token.strip_prefix("oauth:")) {
            _ if anonymous => None,
            None => Some("Improperly formatted auth"),
            Some(None) => Some("Improperly formatted auth"),
            Some(Some(token)) => {
                let is_dead = self.book.borrow().rules.dead_tokens.contains(token) && Fault::Refusal.is_committed();
                is_dead.then_some("Login authentication failed")
            }
        };
        if let Some(refusal) = refusal {
            self.write(vec![format!(":{HOST} NOTICE * :{refusal}")]).await?;
            self.socket.close(None).await?;
            return Ok(Some(Over::By(End::Server)));
        }
        self.welcome().await?;
        Ok(None)
    }

    pub(super) async fn welcome(&mut self) -> Result<()> {
        let Some(nick) = self.look(|c| c.nick.clone().filter(|_| !c.welcomed)) else { return Ok(()) };
        if self.negotiating {
            return Ok(());
        }
        let texts = [
            ("001", ":Welcome, GLHF!"),
            ("002", ":Your host is tmi.twitch.tv"),
            ("003", ":This server is rather new"),
            ("004", ":-"),
            ("375", ":-"),
            ("372", ":You are in a maze of twisty passages, all alike."),
            ("376", ":>"),
        ];
        let mut lines: Vec<String> = texts.iter().map(|(n, text)| format!(":{HOST} {n} {nick} {text}")).collect();
        if !nick.starts_with("justinfan") && self.has("twitch.tv/commands") {
            let tags = format!("badge-info=;badges=;color=;display-name={nick};emote-sets=0;user-id=4999;user-type=");
            lines.push(self.tagged(&tags, &format!(":{HOST} GLOBALUSERSTATE")));
        }
        self.note(|connection| connection.welcomed = true);
        self.write(lines).await
    }
}
