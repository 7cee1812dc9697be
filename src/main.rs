//! The program: command line, configuration, command, exit code.

use std::process::ExitCode;

use clap::Parser as _;
use elora_chat::cli::{self, Cli, Command};
use elora_chat::{app, config, telemetry};

fn main() -> ExitCode {
    // Both halves of the program that speak TLS share this one provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    run(Cli::parse()).unwrap_or_else(|error| cli::exit::report(&error))
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let flags = cli.flags();
    let command = cli.command();
    if let Command::Keep(arguments) = &command {
        // What it starts must not wait for a configuration, nor fail by one.
        return cli::keep::run(arguments);
    }
    let config = config::load(&flags)?;
    match command {
        Command::Serve => {
            telemetry::start(&config.log);
            telemetry::announce(&config);
            let runtime = tokio::runtime::Runtime::new()?;
            let ended = runtime.block_on(app::serve(config));
            // Whoever is still busy was named; nothing waits for a thread that is stuck.
            runtime.shutdown_background();
            ended.map(|()| ExitCode::SUCCESS)
        }
        command => cli::run(&command, &config),
    }
}
