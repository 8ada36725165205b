//! A hundred dashboards that read figures while nights are run: rate, latency, errors, and that no answer mixes two nights.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::portal::{Process, simulate};

/// Clients that read at the same time.
const CLIENTS: usize = 100;
/// How long they read while nothing runs.
const QUIET: Duration = Duration::from_secs(10);
/// Nights that are run while they read.
const NIGHTS: i64 = 2;
/// What they ask, in turn.
const QUERIES: [&str; 6] = [
    "by=year&scope=province",
    "by=year&tier=commune&indicator=par-3.4.3",
    "by=month&scope=tier&indicator=par-3.4.1,par-3.4.2,par-3.4.3",
    "agency=H61.14&by=quarter",
    "period=2026&scope=agency&limit=500",
    "limit=1000",
];

fn motcua() -> Command {
    Command::new(env!("CARGO_BIN_EXE_motcua"))
}

/// What the readers saw: seconds of each answer, answers that were none, and the digest of each query's figures by run.
#[derive(Default)]
struct Seen {
    seconds: Vec<f64>,
    errors: usize,
    digests: HashMap<(i64, usize), u64>,
    mixed: usize,
}

pub(crate) fn readers(dossiers: usize) {
    let scratch = tempfile::tempdir().unwrap();
    let (office, exports) = (scratch.path().join("office"), scratch.path().join("exports"));
    assert!(motcua().arg("init").arg(&office).stderr(Stdio::null()).status().unwrap().success());
    let (_portal, variables) = simulate(dossiers, &exports);
    let verb = |arguments: &[&str]| {
        let mut command = motcua();
        command.arg("--config").arg(office.join("config/motcua.toml")).args(arguments).envs(variables.clone());
        command
    };
    without_schedule(&office);
    assert!(verb(&["run"]).stderr(Stdio::null()).status().unwrap().code().is_some());
    let token = verb(&["token", "create", "bench", "--scope", "operate"]).stderr(Stdio::null()).output().unwrap();
    let token = String::from_utf8(token.stdout).unwrap().trim().to_owned();
    let mut serve = verb(&["serve", "--listen", "127.0.0.1:0"]);
    let mut service = Process(serve.stderr(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(service.0.stderr.take().unwrap()).lines().map_while(Result::ok);
    let url = lines.find_map(|line| line.strip_prefix("listening on ").map(str::to_owned)).unwrap();
    std::thread::spawn(move || lines.for_each(drop));

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let quiet = read(&url, &token, dossiers, "nothing runs", async |_| tokio::time::sleep(QUIET).await).await;
        let nights = read(&url, &token, dossiers, "nights run", async |client| {
            for night in 0..NIGHTS {
                run_a_night(client, &url, &token, night + 2).await;
            }
        });
        let nights = nights.await;
        let runs: std::collections::BTreeSet<i64> = nights.digests.keys().map(|(run, _)| *run).collect();
        println!("nights that the readers saw: {runs:?}; answers that mixed two: {}", quiet.mixed + nights.mixed);
        assert!(runs.len() > 1 && quiet.mixed + nights.mixed == 0);
    });
}

/// The bench orders its nights itself.
fn without_schedule(office: &Path) {
    for entry in std::fs::read_dir(office.join("connectors")).unwrap().flatten() {
        let path = entry.path().join("connector.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("cron = \"30 1 * * *\"", "cron = \"0 0 29 2 *\"")).unwrap();
    }
}

async fn run_a_night(client: &reqwest::Client, url: &str, token: &str, run: i64) {
    let start = client.post(format!("{url}/api/v1/runs")).bearer_auth(token).json(&serde_json::json!({}));
    assert_eq!(start.send().await.unwrap().status().as_u16(), 202);
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let page: Value = client
            .get(format!("{url}/api/v1/runs?limit=1"))
            .bearer_auth(token)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        if page["under_way"].is_null() && page["runs"][0]["run"] == run && !page["runs"][0]["complete"].is_null() {
            return;
        }
    }
}

/// Reads with all clients until `until` is over, and says how it went.
async fn read(url: &str, token: &str, dossiers: usize, what: &str, until: impl AsyncFnOnce(&reqwest::Client)) -> Seen {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().unwrap();
    let seen = Arc::new(Mutex::new(Seen::default()));
    let start = Instant::now();
    let readers: Vec<_> = (0..CLIENTS)
        .map(|reader| {
            tokio::spawn(read_on(client.clone(), url.to_owned(), token.to_owned(), reader, Arc::clone(&seen)))
        })
        .collect();
    until(&client).await;
    let took = start.elapsed().as_secs_f64();
    readers.iter().for_each(tokio::task::JoinHandle::abort);
    for reader in readers {
        let _ = reader.await;
    }
    let mut seen = std::mem::take(&mut *seen.lock().unwrap());
    seen.seconds.sort_by(f64::total_cmp);
    let at = |share: usize| seen.seconds[(seen.seconds.len() - 1) * share / 100] * 1000.0;
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let rate = seen.seconds.len() as f64 / took;
    println!(
        "{CLIENTS} readers, {dossiers} dossiers, {what} for {took:.1} s: {} answers, {rate:.0} a second, p50 {:.0} ms, p99 {:.0} ms, {} errors",
        seen.seconds.len(),
        at(50),
        at(99),
        seen.errors
    );
    seen
}

async fn read_on(client: reqwest::Client, url: String, token: String, reader: usize, seen: Arc<Mutex<Seen>>) {
    for turn in reader.. {
        let query = turn % QUERIES.len();
        let start = Instant::now();
        let request = client.get(format!("{url}/api/v1/figures?{}", QUERIES[query])).bearer_auth(&token);
        let answer = async { request.send().await?.error_for_status()?.json::<Value>().await }.await;
        let seconds = start.elapsed().as_secs_f64();
        let mut seen = seen.lock().unwrap();
        let Ok(page) = answer else {
            seen.errors += 1;
            continue;
        };
        seen.seconds.push(seconds);
        let run = page["run"].as_i64().unwrap();
        let figures = page["figures"].as_array().unwrap();
        let mut hasher = DefaultHasher::new();
        page["figures"].to_string().hash(&mut hasher);
        let digest = hasher.finish();
        // All of one run, and the same whenever that run is asked.
        let is_whole = figures.iter().all(|figure| figure["run"] == run) && !figures.is_empty();
        if !is_whole || *seen.digests.entry((run, query)).or_insert(digest) != digest {
            seen.mixed += 1;
        }
    }
}
