//! `simulate`: simulates the portals and the post office on loopback, until stopped.
#![expect(clippy::disallowed_methods, reason = "edge: makes the folder of the exports")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use jiff::civil::{Date, date};
use serde::Serialize;

use crate::cli::Failure;
use crate::cli::init::shipped_text;
use crate::cli::output::{self, OutputFormat, print, print_message};
use crate::model::period::typed_day;
use crate::simulator::{
    self, CATALOGUE_PASSWORD, CATALOGUE_ROUTE, CATALOGUE_UNIT, CATALOGUE_USER, CLIENT_ID, CLIENT_SECRET,
    EVALUATION_ROOT, Fault, MessageFormat, OPENCPS_GROUP, PETITION_TAGS, Province, ProvinceSettings, RegistryTexts,
    SimulatedDay, TOKEN_PATH,
};

/// Default of the last simulated day. It is fixed, so that a seed always gives the same figures.
pub(super) const TODAY: Date = date(2026, 10, 30);

/// Pause of the fault `edited-at-night` between two edits.
const BETWEEN_EDITS: std::time::Duration = std::time::Duration::from_millis(700);

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  motcua simulate --dossiers 2000\n  motcua simulate --faults\n  motcua simulate --fault rate-limited-seconds"
)]
pub(super) struct Arguments {
    /// Address and port of the portal; loopback only.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8687")]
    listen: SocketAddr,
    /// Folder for the post office's exports.
    #[arg(long, value_name = "DIR", default_value = "bcci-exports")]
    exports: PathBuf,
    /// Number of dossiers.
    #[arg(long, default_value_t = 50_000)]
    dossiers: usize,
    /// Seed of the random draws. The same seed gives the same province.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Last simulated day (yyyy-MM-dd).
    #[arg(long, value_name = "DAY", default_value_t = TODAY, value_parser = typed_day)]
    today: Date,
    /// Fault of the portal or of the exports, by its name in `--faults`.
    #[arg(long, value_name = "NAME", value_parser = known_fault)]
    fault: Option<Fault>,
    /// List the faults and exit.
    #[arg(long)]
    faults: bool,
    /// Output format of `--faults`.
    #[arg(long, value_enum, default_value_t, requires = "faults")]
    format: OutputFormat,
}

fn known_fault(name: &str) -> Result<Fault, String> {
    Fault::from_name(name).ok_or_else(|| "`motcua simulate --faults` lists all faults".to_owned())
}

#[derive(Debug, Serialize)]
struct Row {
    fault: &'static str,
    side: &'static str,
    description: &'static str,
}

fn list(format: OutputFormat) -> Result<ExitCode, Failure> {
    let row = |fault: &Fault| Row { fault: fault.name(), side: fault.side().name(), description: fault.description() };
    let rows: Vec<Row> = Fault::ALL.iter().map(row).collect();
    let cells = |row: &Row| [row.fault, row.side, row.description].map(str::to_owned).to_vec();
    print(&match format {
        OutputFormat::Json => output::json(&rows)?,
        OutputFormat::Csv => output::csv(&rows)?,
        OutputFormat::Table => output::table(&["fault", "side", "description"], rows.iter().map(cells).collect()),
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn act(arguments: &Arguments) -> Result<ExitCode, Failure> {
    if arguments.faults {
        return list(arguments.format);
    }
    let province = generate(arguments.dossiers, arguments.seed, arguments.today).await?;
    std::fs::create_dir_all(&arguments.exports)?;
    let province = Arc::new(province);
    let [feedback, measures, notes] = province.write_lists(&arguments.exports, arguments.today)?;
    let portal = simulator::serve(Arc::clone(&province), arguments.listen, SimulatedDay::new(arguments.today)).await?;
    portal.set_fault(arguments.fault);
    print(&format!(
        "export IGATE_URL={url}\nexport IGATE_TOKEN_URL={url}{TOKEN_PATH}\nexport IGATE_CLIENT_ID={CLIENT_ID}\n\
         export IGATE_CLIENT_SECRET={CLIENT_SECRET}\nexport BCCI_EXPORTS={exports}\n\
         export DVCQG_URL={url}\nexport DVCQG_DSTCODE={CATALOGUE_ROUTE}\nexport DVCQG_USERNAME={CATALOGUE_USER}\n\
         export DVCQG_PASSWORD={CATALOGUE_PASSWORD}\nexport DVCQG_UNIT={CATALOGUE_UNIT}\n\
         export PAKN_EXPORTS={feedback}\nexport MEASURES_FOLDER={measures}\nexport NOTES_FOLDER={notes}\n{others}",
        others = others(&portal.url(), &write_others(&province, arguments)?),
        url = portal.url(),
        exports = arguments.exports.canonicalize()?.display(),
        feedback = feedback.canonicalize()?.display(),
        measures = measures.canonicalize()?.display(),
        notes = notes.canonicalize()?.display(),
    ))?;
    for nights in (1..=arguments.fault.map_or(0, Fault::nights_before)).rev() {
        let fault = arguments.fault.expect("only a fault has nights before it");
        province.write_exports_before(&arguments.exports, arguments.today, fault, nights)?;
        print_message(&format!(
            "postal exports written as they are {nights} nights before the fault: run a night, then press Enter"
        ));
        wait_for_enter().await?;
    }
    let files = province.write_exports_with(&arguments.exports, arguments.today, arguments.fault)?;
    print_message(&format!("{} postal exports written; the portal runs until Ctrl-C", files.len()));
    if let (Some(Fault::ReplacedWhileReading), Some(last)) = (arguments.fault, files.last().cloned()) {
        // The thread ends with the process.
        std::thread::spawn(move || while simulator::write_again(&last).is_ok() {});
    }
    if let (Some(Fault::EditedAtNight), Some(last)) = (arguments.fault, files.last().cloned()) {
        std::thread::spawn(move || {
            while simulator::save_in_other_order(&last).is_ok() {
                std::thread::sleep(BETWEEN_EDITS);
            }
        });
    }
    tokio::signal::ctrl_c().await?;
    portal.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// Writes what the connectors read that `connectors add` adds: messages to the national portal, lists of documents and of
/// the survey. Returns the folder.
fn write_others(province: &Province, arguments: &Arguments) -> Result<PathBuf, Failure> {
    let folders = ["thong-diep", "van-ban", "sipas"].map(|name| arguments.exports.join(name));
    for folder in &folders {
        std::fs::create_dir_all(folder)?;
    }
    for format in [MessageFormat::Json, MessageFormat::Xml] {
        province.write_messages(&folders[0], format, None, arguments.today)?;
    }
    let [documents, survey] = province.write_documents_and_survey(&arguments.exports, arguments.today)?;
    for (file, folder) in [(documents, &folders[1]), (survey, &folders[2])] {
        let name = file.file_name().unwrap_or_default().to_owned();
        std::fs::rename(file, folder.join(name))?;
    }
    Ok(arguments.exports.canonicalize()?)
}

/// Variables of the connectors that `connectors add` adds.
fn others(url: &str, folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "export TANDAN_URL={url}\nexport TANDAN_USERNAME={CLIENT_ID}\nexport TANDAN_PASSWORD={CLIENT_SECRET}\n\
         export OPENCPS_URL={url}\nexport OPENCPS_USERNAME={CLIENT_ID}\nexport OPENCPS_PASSWORD={CLIENT_SECRET}\n\
         export OPENCPS_GROUP={OPENCPS_GROUP}\nexport LGSP_MESSAGES={folder}/thong-diep\n\
         export PAKN_URL={url}\nexport PAKN_TOKEN_URL={url}{TOKEN_PATH}\nexport PAKN_CLIENT_ID={CLIENT_ID}\n\
         export PAKN_CLIENT_SECRET={CLIENT_SECRET}\nexport PAKN_TAGS={PETITION_TAGS}\n\
         export VNPOST_URL={url}/vnpost\nexport VNPOST_TOKEN_URL={url}{TOKEN_PATH}\nexport VNPOST_KEY={CLIENT_ID}\n\
         export VNPOST_SECRET={CLIENT_SECRET}\n\
         export DVCQG_EVALUATION_URL={url}\nexport DVCQG_EVALUATION_ROOT={EVALUATION_ROOT}\n\
         export DOCUMENTS_FOLDER={folder}/van-ban\nexport SIPAS_FOLDER={folder}/sipas\n"
    )
}

/// Waits until a line is entered, or the input has ended.
async fn wait_for_enter() -> Result<(), Failure> {
    let entered = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    entered.await.map_err(|error| Failure::internal(error.to_string()))??;
    Ok(())
}

/// Draws a province from the shipped registries.
pub(super) async fn generate(dossiers: usize, seed: u64, today: Date) -> Result<Province, Failure> {
    let settings = ProvinceSettings { dossiers, seed, ..ProvinceSettings::new(today) };
    let generated = tokio::task::spawn_blocking(move || {
        let registries = RegistryTexts {
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
