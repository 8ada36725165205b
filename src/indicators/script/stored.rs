//! The Delta tables as a script reads them: each through one view, with the columns that it has.

use std::collections::{BTreeMap, BTreeSet};

use crate::expressions::stored_column;
use crate::indicators::script::dialect::SqlDialect;
use crate::lake::GROUP_TABLE;
use crate::model::predicate::FactType;
use crate::model::table::RecordKind;

/// The Delta tables that a script reads.
#[derive(Debug, Clone)]
pub struct StoredTables {
    /// SQL of the engine that runs the script.
    pub dialect: SqlDialect,
    /// Folder or address of the tables. `None`: the script defines no views; whoever runs it has defined them.
    pub root: Option<String>,
    /// The columns of each image that exists, by its name.
    pub images: BTreeMap<&'static str, BTreeSet<String>>,
    /// Whether rows that another source's row stands for are left out by the table `dossier_groups`.
    pub has_groups: bool,
    /// The night's run. A table with a later one is newer than the script.
    pub run: i64,
}

/// Name of the view of a table.
fn view(table: &str) -> String {
    format!("motcua_{table}")
}

impl StoredTables {
    /// The statements before the query.
    pub(super) fn views(&self) -> String {
        let Some(root) = &self.root else { return String::new() };
        let mut tables: Vec<&str> = self.images.keys().copied().collect();
        tables.extend(self.has_groups.then_some(GROUP_TABLE));
        let view_of = |table: &str| {
            let rows = self.dialect.delta_table(&format!("{}/{table}", root.trim_end_matches('/')));
            format!("CREATE OR REPLACE TEMP VIEW {} AS SELECT * FROM {rows};\n", view(table))
        };
        tables.into_iter().map(view_of).collect()
    }

    /// A query for columns of a table, instants as microseconds. It fails if the table is newer than the script.
    pub(super) fn columns<'a>(&self, table: RecordKind, names: impl IntoIterator<Item = &'a str>) -> String {
        let sql = self.dialect;
        let stored = self.images.get(table.image_name());
        let column = |name: &str| {
            let quoted = sql.quoted(name);
            let of = stored_column(table, name).expect("the facts' columns were checked");
            let value = match of {
                _ if !stored.is_some_and(|stored| stored.contains(name)) => {
                    format!("CAST(NULL AS {})", sql.type_of(of))
                }
                FactType::Instant => sql.micros(&quoted),
                _ => quoted.clone(),
            };
            format!("{value} AS {quoted}")
        };
        let columns = names.into_iter().map(column).collect::<Vec<_>>().join(", ");
        if stored.is_none() {
            return format!("SELECT {columns} WHERE FALSE");
        }
        let name = table.image_name();
        let message = format!("the table {name} is newer than this script: print it again with motcua sql");
        let is_of_night = sql.fail_if(&format!("run > {}", self.run), &message);
        format!("SELECT {columns} FROM {} WHERE {is_of_night}", view(name))
    }

    /// The keys of the dossiers that another source's row stands for; `None` if there are none.
    pub(super) fn copies(&self) -> Option<String> {
        self.has_groups.then(|| format!("SELECT source, source_key FROM {} WHERE NOT counts", view(GROUP_TABLE)))
    }
}
