//! The command line: one file per command. Serving itself is the app's business.

mod client;
mod config;
mod deliver;
pub mod exit;
mod healthcheck;
mod import;
pub mod keep;
mod routes;
mod seed;
mod token;
mod ws;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, Flags};

/// Every chat of a live stream in one place.
#[derive(Debug, Parser)]
#[command(name = "elora-chat", version, about)]
pub struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Flags that win over the environment, for every command.
#[derive(Debug, Args)]
struct Settings {
    /// Read this file instead of .env
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The store's file
    #[arg(long, global = true, value_name = "FILE")]
    db_path: Option<PathBuf>,
    /// Where the server listens, or is: host:port, :port or host
    #[arg(long, global = true, value_name = "ADDRESS")]
    http_addr: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server (the default)
    Serve,
    /// Ask the running server whether it is ready; exits with 0 or 1
    Healthcheck,
    /// Print the configuration with its secrets hidden
    Config(config::Arguments),
    /// Print chat from a running server, a line each
    Ws(ws::Arguments),
    /// Show the owner's token, change it, or make a link that signs a browser in
    Token(token::Arguments),
    /// Have the running server put demo rows into its store
    Seed(seed::Arguments),
    /// Bring history in from older files, exports and backups
    Import(import::Arguments),
    /// Print every route with its method and who may use it
    #[command(hide = true)]
    Routes,
    /// Run a program for the server, and end it with the server; only the server starts this
    #[command(hide = true)]
    Keep(keep::Arguments),
}

impl Cli {
    pub fn flags(&self) -> Flags {
        let Settings { config, db_path, http_addr } = &self.settings;
        Flags { config: config.clone(), db_path: db_path.clone(), http_addr: http_addr.clone() }
    }

    pub fn command(self) -> Command {
        self.command.unwrap_or(Command::Serve)
    }
}

/// Runs a command that is done when it returns. `serve` is not one of them: to ask for it here is an error.
pub fn run(command: &Command, settings: &Config) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve => anyhow::bail!("serving is no small command"),
        Command::Healthcheck => healthcheck::run(settings),
        Command::Config(arguments) => config::run(arguments, settings),
        Command::Ws(arguments) => ws::run(arguments, settings),
        Command::Token(arguments) => token::run(arguments, settings),
        Command::Seed(arguments) => seed::run(arguments, settings),
        Command::Keep(arguments) => keep::run(arguments),
        Command::Import(arguments) => import::run(arguments, settings),
        Command::Routes => routes::run(settings),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    #[test]
    fn serving_is_the_default_and_flags_stand_anywhere() {
        let bare = parse("elora-chat --http-addr :9000").expect("a good line");
        let named = parse("elora-chat serve --http-addr :9000").expect("a good line");

        for cli in [bare, named] {
            assert_eq!(cli.flags().http_addr.as_deref(), Some(":9000"));
            assert!(matches!(cli.command(), Command::Serve));
        }
        assert!(parse("elora-chat token --rotate --link").is_err());
        assert!(parse("elora-chat dance").is_err());
    }
}
