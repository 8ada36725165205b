//! CPU time and peak memory of this process, from `/proc`.

use std::fs;
use std::time::Instant;

/// Clock ticks of `/proc/self/stat` a second (Linux).
const TICKS: f64 = 100.0;

#[derive(Debug)]
pub(crate) struct Meter {
    cpu_ticks: u64,
    resident_kib: u64,
    started: Instant,
}

#[derive(Debug)]
pub(crate) struct Spent {
    pub(crate) cpu_secs: f64,
    pub(crate) wall_secs: f64,
    pub(crate) peak_mib: u64,
}

impl Meter {
    pub(crate) fn start() -> Self {
        // Writing 5 resets the peak (proc(5)).
        let _ = fs::write("/proc/self/clear_refs", "5");
        Self { cpu_ticks: cpu_ticks(), resident_kib: memory("VmRSS:"), started: Instant::now() }
    }

    pub(crate) fn stop(&self) -> Spent {
        #[expect(clippy::cast_precision_loss, reason = "ticks are far below 2^52")]
        let ticks = (cpu_ticks() - self.cpu_ticks) as f64;
        Spent {
            cpu_secs: ticks / TICKS,
            wall_secs: self.started.elapsed().as_secs_f64(),
            peak_mib: memory("VmHWM:").saturating_sub(self.resident_kib) / 1024,
        }
    }
}

fn cpu_ticks() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit_once(')').unwrap().1;
    after_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}

fn memory(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
