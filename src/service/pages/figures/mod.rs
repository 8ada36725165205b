//! The pages of figures: the newest night by scope and period, one indicator by agency, both as files, the dossiers
//! behind a figure, and one dossier.

pub(super) mod dossier_link;
pub(super) mod dossiers;
pub(super) mod download;
pub(super) mod indicator;
pub(super) mod one_dossier;
pub(super) mod overview;
pub(super) mod revisions;
pub(super) mod scope_menu;
pub(super) mod selection;
pub(super) mod shown_figure;
pub(super) mod trend;
