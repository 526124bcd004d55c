//! Arguments of `retinamark serve`.

use std::net::SocketAddr;

use clap::Args;

use super::LookArgs;

/// How it is called.
const EXAMPLES: &str = "\
  GET  /              a page to drop photos on
  POST /detect        a photo in, its faces out as a line of detections.jsonl
  GET  /healthz       whether it answers
  GET  /metrics       counts and times, for Prometheus
  GET  /openapi.json  all of this for programs

Example:
  retinamark serve & curl --data-binary @photo.jpg http://127.0.0.1:8080/detect

A photo is never written to the disk, and no file is read by name. Ctrl-C lets requests in work finish.";

/// Arguments of `retinamark serve`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ServeArgs {
    /// Address and port to listen at; others than 127.0.0.1 let other machines in
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub bind: SocketAddr,
    /// How to look.
    #[command(flatten)]
    pub look: LookArgs,
    /// What a client has to send as `Authorization: Bearer TOKEN`
    #[arg(long, env = "RETINAMARK_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Largest request, MiB
    #[arg(long, value_name = "MIB", default_value_t = 32,
          value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub max_body: u32,
    /// Photos in work at the same time [default: number of cores]
    #[arg(long, short, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Requests that may wait for their turn; further ones are told to come again (503)
    #[arg(long, value_name = "N", default_value_t = 64,
          value_parser = clap::value_parser!(u16).range(1..))]
    pub queue: u16,
    /// Seconds for a client to send its request
    #[arg(long, value_name = "SECONDS", default_value_t = 30,
          value_parser = clap::value_parser!(u16).range(1..))]
    pub timeout: u16,
}
