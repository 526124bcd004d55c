//! `retinamark serve`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::looks;
use crate::cli::ServeArgs;
use crate::imaging::Limits;
use crate::serve::{self, App, Settings};
use crate::{console, interrupt};

/// Run the subcommand: until Ctrl-C.
///
/// # Errors
/// On unusable weights and settings, and when the address cannot be listened at.
pub fn run(args: ServeArgs) -> Result<ExitCode> {
    ensure!(
        args.token.as_ref().is_none_or(|token| !token.is_empty()),
        "--token: an empty one lets everybody in; leave it out for that"
    );
    interrupt::listen()?;
    let (_, looks) = looks::named(&args.look)?;
    let options = looks::options(&args.look, &looks.config)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let settings = Settings {
        token: args.token,
        max_body: args.max_body as usize * (1 << 20),
        limits: Limits {
            max_pixels: args.look.max_pixels,
        },
        jobs: args.jobs.map_or(cores, usize::from),
        queue: args.queue.into(),
        timeout: Duration::from_secs(args.timeout.into()),
    };
    let app = App::new(looks.predictor, options, settings);
    serve::run(app, args.bind, |address| {
        console::note(format!("listening at http://{address}/"));
        if !address.ip().is_loopback() {
            console::note("other machines may reach it: consider --token");
        }
    })?;
    Ok(ExitCode::SUCCESS)
}
