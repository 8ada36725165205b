//! The pages of figures: the newest night by scope and period, one indicator by agency, both as files, and the dossiers
//! behind a figure.

pub(super) mod dossiers;
pub(super) mod download;
pub(super) mod indicator;
pub(super) mod overview;
pub(super) mod revisions;
pub(super) mod scope_menu;
pub(super) mod selection;
pub(super) mod shown_figure;
pub(super) mod trend;
