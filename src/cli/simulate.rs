//! `simulate`: the portal and the post office on loopback, until stopped.
#![expect(clippy::disallowed_methods, reason = "edge: makes the folder of the exports")]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use jiff::civil::{Date, date};

use crate::cli::Failure;
use crate::cli::init::shipped_text;
use crate::cli::output::{narrate, print};
use crate::simulator::{self, CLIENT_ID, CLIENT_SECRET, Province, Registries, Settings, SimulatedDay, TOKEN_PATH};

/// Last day of the simulated province where none is given: fixed, so that a seed always means the same figures.
pub(super) const TODAY: Date = date(2026, 10, 30);

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where the portal listens; loopback only.
    #[arg(long, default_value = "127.0.0.1:8687")]
    listen: SocketAddr,
    /// Folder that the post office writes its exports into.
    #[arg(long, default_value = "bcci-exports")]
    exports: PathBuf,
    #[arg(long, default_value_t = 50_000)]
    dossiers: usize,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The simulated day (yyyy-MM-dd).
    #[arg(long, default_value_t = TODAY)]
    today: Date,
}

pub(super) async fn act(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let province = generate(arguments.dossiers, arguments.seed, arguments.today).await?;
    std::fs::create_dir_all(&arguments.exports)?;
    let files = province.write_exports(&arguments.exports, arguments.today)?;
    let portal = simulator::serve(Arc::new(province), arguments.listen, SimulatedDay::new(arguments.today)).await?;
    print(&format!(
        "export IGATE_URL={url}\nexport IGATE_TOKEN_URL={url}{TOKEN_PATH}\nexport IGATE_CLIENT_ID={CLIENT_ID}\n\
         export IGATE_CLIENT_SECRET={CLIENT_SECRET}\nexport BCCI_EXPORTS={exports}\n",
        url = portal.url(),
        exports = arguments.exports.canonicalize()?.display(),
    ))?;
    narrate(&format!("{} postal exports written; the portal answers until Ctrl-C", files.len()));
    tokio::signal::ctrl_c().await?;
    portal.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// A province over the shipped registries.
pub(super) async fn generate(dossiers: usize, seed: u64, today: Date) -> Result<Province, Failure> {
    let settings = Settings { dossiers, seed, ..Settings::new(today) };
    let generated = tokio::task::spawn_blocking(move || {
        let registries = Registries {
            agencies: shipped_text("agencies.csv"),
            procedures: shipped_text("procedures.csv"),
            offers: shipped_text("procedure_offers.csv"),
            calendar: shipped_text("calendar.csv"),
        };
        simulator::generate(&settings, &registries)
    });
    let province = generated.await.map_err(|error| Failure::internal(error.to_string()))?;
    Ok(province?)
}
