//! What is started for a source: program, arguments, environment. Arguments go to the program as they are, past any
//! shell, and nothing that a source is called becomes an option.

use super::process::Program;
use crate::chat::Channel;
use crate::config::{Config, DriverKind};

/// Reads an address with `chat_downloader`.
const SCRIPT: &str = include_str!("fetch_chat.py");

/// Without these, a line waits in the program until many have come, and is spelled as the machine's language wants it.
const PYTHON: [(&str, &str); 2] = [("PYTHONUNBUFFERED", "1"), ("PYTHONIOENCODING", "utf-8")];

/// How the program of one driver is started.
#[derive(Debug, Clone)]
pub struct Recipe {
    pub driver: DriverKind,
    path: String,
    args: Vec<Arg>,
    shown: Vec<String>,
    env: Vec<(String, String)>,
}

#[derive(Debug, Clone)]
enum Arg {
    Fixed(String),
    /// With `{url}` and the like in it.
    Template(String),
}

impl Recipe {
    /// The configured driver's; none where it runs no program.
    pub fn of(config: &Config) -> Option<Self> {
        let driver = config.ingest.driver;
        let url = || Arg::Template("{url}".to_owned());
        let (path, args) = match driver {
            DriverKind::Gnasty => {
                let given = config.gnasty.args.iter().cloned().map(Arg::Fixed);
                (config.gnasty.bin.as_ref()?.to_str()?.to_owned(), given.chain([url()]).collect())
            }
            DriverKind::Chatdownloader => {
                let given = ["-u", "-c", SCRIPT].map(|arg| Arg::Fixed(arg.to_owned()));
                (config.exec.python.clone(), given.into_iter().chain([url()]).collect())
            }
            DriverKind::Exec => {
                let (path, args) = config.exec.command.split_first()?;
                (path.clone(), args.iter().cloned().map(Arg::Template).collect())
            }
            _ => return None,
        };
        let passed = config.exec.passed.iter().map(|(name, value)| (name.clone(), value.expose().clone()));
        let shown = match driver {
            DriverKind::Gnasty => config.gnasty.shown_args(),
            DriverKind::Exec => config.exec.shown_command().split_off(1),
            _ => vec!["-c".to_owned(), "fetch_chat.py".to_owned()],
        };
        let python = PYTHON.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Some(Self { driver, path, args, shown, env: passed.chain(python).collect() })
    }

    /// Whether every source has a program of its own.
    pub fn is_per_source(&self) -> bool {
        self.args
            .iter()
            .any(|arg| matches!(arg, Arg::Template(text) if PLACES.iter().any(|place| text.contains(place))))
    }

    /// The program for a source, or for all of them. The error says why this source cannot have one.
    pub fn program(&self, channel: Option<&Channel>) -> Result<Program, String> {
        let args = self.args.iter().map(|arg| match (arg, channel) {
            (Arg::Template(text), Some(channel)) => fill(text, channel),
            (Arg::Template(text) | Arg::Fixed(text), _) => Ok(text.clone()),
        });
        Ok(Program { path: self.path.clone(), args: args.collect::<Result<_, _>>()?, env: self.env.clone() })
    }

    /// What to do when the program cannot be started.
    pub fn remedy(&self) -> &'static str {
        match self.driver {
            DriverKind::Gnasty => "set GNASTY_BIN to a program that can be run",
            DriverKind::Chatdownloader => {
                "install Python and `pip install chat-downloader==0.2.8`, or set ELORA_PYTHON to a Python that has it \
                 (the container image has none)"
            }
            _ => "set ELORA_EXEC to a program that can be run",
        }
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    /// The arguments as the log may show them, without those of every source.
    pub fn shown(&self) -> &[String] {
        &self.shown
    }

    /// What lines of the log are found by.
    pub fn tag(&self) -> &'static str {
        self.driver.as_str()
    }
}

const PLACES: [&str; 3] = ["{url}", "{platform}", "{channel}"];

/// Puts the source into an argument. What comes of it is an option only if it was one before.
fn fill(template: &str, channel: &Channel) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((at, place)) = PLACES.iter().filter_map(|place| Some((rest.find(place)?, *place))).min() {
        let value = match place {
            "{url}" => channel.url(),
            "{platform}" => channel.platform.to_string(),
            _ => channel.login.clone(),
        };
        if value.is_empty() {
            return Err(format!("{channel} has no address of the web: its program must be given {{channel}}"));
        }
        filled.push_str(&rest[..at]);
        filled.push_str(&value);
        rest = &rest[at + place.len()..];
    }
    filled.push_str(rest);
    if filled.starts_with('-') && !template.starts_with('-') {
        return Err(format!("{channel} would be read as an option: give it to the program as {{url}}"));
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Platform;

    fn recipe(driver: DriverKind, change: impl FnOnce(&mut Config)) -> Option<Recipe> {
        let mut config = Config::default();
        config.ingest.driver = driver;
        change(&mut config);
        Recipe::of(&config)
    }

    fn exec(command: &[&str]) -> Recipe {
        let command = command.iter().map(|&word| word.to_owned()).collect();
        recipe(DriverKind::Exec, |config| config.exec.command = command).expect("there is a program")
    }

    fn channel(source: &str) -> Channel {
        source.parse().expect("a good source")
    }

    fn args(recipe: &Recipe, source: &str) -> Result<Vec<String>, String> {
        recipe.program(Some(&channel(source))).map(|program| program.args)
    }

    #[test]
    fn gnasty_gets_its_arguments_and_the_address() {
        let recipe = recipe(DriverKind::Gnasty, |config| {
            config.gnasty.bin = Some("/opt/gnasty".into());
            config.gnasty.args = ["--stdout", "{url}; rm -rf x"].map(str::to_owned).to_vec();
        });
        let recipe = recipe.expect("there is a program");

        assert!(recipe.is_per_source());
        assert_eq!(
            args(&recipe, "forsen"),
            Ok(["--stdout", "{url}; rm -rf x", "https://www.twitch.tv/forsen"].map(str::to_owned).to_vec())
        );
    }

    #[test]
    fn no_driver_without_its_program() {
        for driver in [DriverKind::Gnasty, DriverKind::Native, DriverKind::Replay, DriverKind::None] {
            assert!(recipe(driver, |_| {}).is_none(), "{driver:?}");
        }
    }

    #[test]
    fn the_address_follows_the_script_and_never_an_option() {
        let recipe = recipe(DriverKind::Chatdownloader, |_| {}).expect("there is a program");

        let program = recipe.program(Some(&channel("youtube:v:-abcdefghi_"))).expect("a good source");

        assert_eq!(program.path, "python3");
        assert_eq!(program.args[..2], ["-u", "-c"]);
        assert_eq!(program.args[3..], ["https://www.youtube.com/watch?v=-abcdefghi_"]);
        assert!(program.env.contains(&("PYTHONUNBUFFERED".to_owned(), "1".to_owned())));
    }

    #[test]
    fn a_source_is_put_where_it_is_asked_for_and_nowhere_else() {
        let recipe = exec(&["reader", "--room={platform}/{channel}", "{url}", "{other}"]);

        let args = args(&recipe, "kick:some-one").expect("a good source");

        assert_eq!(args, ["--room=kick/some-one", "https://kick.com/some-one", "{other}"]);
        assert!(recipe.is_per_source());
        assert!(!exec(&["reader", "--all", "{other}"]).is_per_source());
    }

    #[test]
    fn what_a_source_is_called_is_no_template() {
        let channel = Channel::new(Platform::new("other").expect("a good name"), "{platform}{url}");

        assert_eq!(fill("{channel}", &channel), Ok("{platform}{url}".to_owned()));
    }

    #[test]
    fn nothing_that_a_source_is_called_becomes_an_option() {
        let recipe = exec(&["reader", "{channel}"]);

        assert!(args(&recipe, "kick:-rf").is_err_and(|why| why.contains("option")));
        assert_eq!(
            args(&exec(&["reader", "--room", "-{channel}"]), "kick:-rf"),
            Ok(vec!["--room".to_owned(), "--rf".to_owned()])
        );
        assert!(args(&exec(&["reader", "{url}"]), "other:name").is_err_and(|why| why.contains("{channel}")));
    }
}
