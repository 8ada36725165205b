//! `init`: writes the shipped configuration, registries and connectors, to edit.
#![expect(clippy::disallowed_methods, reason = "edge: writes the files of a new installation")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use include_dir::{Dir, DirEntry, include_dir};

use crate::cli::Failure;
use crate::cli::failure::first_connector;
use crate::cli::language::{self, text};
use crate::cli::output::print_message;

static CONFIG: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/config");
static CONNECTORS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/connectors");

/// The connectors of a new installation. The other shipped ones are written by `connectors add`.
const WRITTEN_CONNECTORS: [&str; 6] =
    ["bcci-export", "dossier-notes-csv", "feedback", "measures-csv", "portal-igate", "procedure-catalogue"];

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Target folder.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Write no connectors: for an office whose own come first.
    #[arg(long)]
    minimal: bool,
}

/// What the folder of the connectors has at first in an office of its own connectors.
const NO_CONNECTORS: &str = "\
# Connectors
Mỗi kết nối là một thư mục ở đây, có tệp `connector.toml`. Thư mục này chưa có kết nối nào.

Each connector is a folder here, with a `connector.toml`. There is none yet:

```sh
motcua connectors new so-tiep-nhan --from FILE    # drafts one from a file that the source delivers
export SO_TIEP_NHAN_FOLDER=/srv/exports           # where the source delivers its files
motcua check ./so-tiep-nhan                       # tries it, and says what was read of each field
mv so-tiep-nhan connectors/                       # the next night reads it
motcua run && motcua status
```

`motcua connectors add NAME` adds a connector that motcua ships, for example `portal-igate`.
";

pub(super) fn act(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let written = if arguments.minimal { write_minimal(&arguments.folder)? } else { write_shipped(&arguments.folder)? };
    print_message(&text!(
        "đã ghi {written} tệp vào `{}`",
        "wrote {written} files into `{}`",
        arguments.folder.display()
    ));
    if arguments.minimal {
        let connector = first_connector();
        print_message(&text!(
            "tiếp theo: sửa `config/motcua.toml` và các danh mục bên cạnh; {connector}",
            "next: edit `config/motcua.toml` and the registries beside it; {connector}"
        ));
    } else {
        print_message(language::of(
            "tiếp theo: đặt các biến mà kết nối cần (xem connectors/*/README.md), rồi chạy `motcua check`",
            "next: set the variables that the connectors need (see connectors/*/README.md), then run `motcua check`",
        ));
    }
    let others: Vec<&str> = shipped_connectors()
        .into_iter()
        .filter(|name| arguments.minimal || !WRITTEN_CONNECTORS.contains(name))
        .collect();
    print_message(&text!(
        "`motcua connectors add TÊN` thêm kết nối cho hệ thống khác: {}",
        "`motcua connectors add NAME` adds a connector for another system: {}",
        others.join(", ")
    ));
    Ok(ExitCode::SUCCESS)
}

/// Writes the shipped files below a folder; returns their number. Writes nothing if one of them exists.
pub(super) fn write_shipped(folder: &Path) -> Result<usize, Failure> {
    let mut files = Vec::new();
    collect(&CONFIG, &folder.join("config"), &mut files);
    for name in WRITTEN_CONNECTORS {
        collect(shipped_connector(name)?, &folder.join("connectors").join(name), &mut files);
    }
    write_new(folder, &files)
}

/// Writes the shipped files but for the connectors; returns their number. Writes nothing if one of them exists.
fn write_minimal(folder: &Path) -> Result<usize, Failure> {
    let mut files = Vec::new();
    collect(&CONFIG, &folder.join("config"), &mut files);
    files.push((folder.join("connectors/README.md"), NO_CONNECTORS.as_bytes()));
    write_new(folder, &files)
}

/// Names of the shipped connectors, sorted.
pub(super) fn shipped_connectors() -> Vec<&'static str> {
    let mut names: Vec<&str> = CONNECTORS.dirs().filter_map(|dir| dir.path().file_name()?.to_str()).collect();
    names.sort_unstable();
    names
}

/// Writes shipped connectors into a folder of connectors; returns the number of files. Writes nothing if one of them
/// exists.
pub(super) fn write_connectors(folder: &Path, names: &[String]) -> Result<usize, Failure> {
    let mut files = Vec::new();
    for name in names {
        collect(shipped_connector(name)?, &folder.join(name), &mut files);
    }
    write_new(folder, &files)
}

fn shipped_connector(name: &str) -> Result<&'static Dir<'static>, Failure> {
    CONNECTORS.get_dir(name).ok_or_else(|| {
        let shipped = shipped_connectors().join(", ");
        Failure::usage(text!("không có sẵn kết nối `{name}`", "no connector `{name}` is shipped"))
            .with_hint(text!("các kết nối có sẵn: {shipped}", "the shipped ones are {shipped}"))
            .with_near(name, shipped_connectors())
    })
}

fn write_new(folder: &Path, files: &[(PathBuf, &'static [u8])]) -> Result<usize, Failure> {
    if let Some((path, _)) = files.iter().find(|(path, _)| path.exists()) {
        let message = text!("đã có `{}`; không ghi gì", "`{}` exists; nothing was written", path.display());
        return Err(Failure::usage(message).with_hint(language::of(
            "chọn thư mục khác, hoặc chuyển tệp đó đi",
            "choose another folder, or move the file away",
        )));
    }
    for (path, contents) in files {
        let failed = |error: std::io::Error| Failure::internal(format!("cannot write `{}`: {error}", path.display()));
        fs::create_dir_all(path.parent().unwrap_or(folder)).map_err(failed)?;
        fs::write(path, contents).map_err(failed)?;
    }
    Ok(files.len())
}

fn collect(dir: &'static Dir<'static>, target: &Path, files: &mut Vec<(PathBuf, &'static [u8])>) {
    for entry in dir.entries() {
        match entry {
            DirEntry::Dir(inner) => {
                let name = inner.path().file_name().unwrap_or_default();
                collect(inner, &target.join(name), files);
            }
            DirEntry::File(file) => {
                files.push((target.join(file.path().file_name().unwrap_or_default()), file.contents()));
            }
        }
    }
}

/// Text of a shipped file below `config/`.
pub(super) fn shipped_text(name: &str) -> &'static str {
    CONFIG.get_file(name).and_then(include_dir::File::contents_utf8).unwrap_or_default()
}
