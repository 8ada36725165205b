//! Cost of the groups of dossiers: with one source, with a second one that copies every tenth dossier, and with nothing
//! new.

use motcua::lake::Lake;
use motcua::model::source_order::SourceOrder;

use crate::meter::Meter;
use crate::{dossiers, shipped};

pub(crate) fn groups(count: usize) {
    let scratch = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(64 << 20).build().unwrap();
    let lake = runtime.block_on(Lake::open(scratch.path())).unwrap();
    let update = |what: &str| {
        let meter = Meter::start();
        let counts = runtime.block_on(lake.update_groups(&SourceOrder::default())).unwrap();
        let spent = meter.stop();
        let elsewhere: u64 = counts.elsewhere.values().sum();
        println!(
            "groups, {count} dossiers, {what}: {elsewhere} copies; {:.3} CPU-s, {:.3} s; peak {} MiB above start",
            spent.cpu_secs, spent.wall_secs, spent.peak_mib
        );
    };
    runtime.block_on(dossiers::write(&lake, &shipped(), count));
    update("one source");
    runtime.block_on(dossiers::write_copies(&lake, count));
    update("two sources");
    update("two sources, nothing new");
}
