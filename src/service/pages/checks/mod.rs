//! The pages that check the data: portal against post, our counts against those of the national portal, and later changes that make
//! a ratio look better.

pub(super) mod integrity;
mod listing;
pub(super) mod national;
pub(super) mod reconcile;
pub(super) mod reconcile_dossiers;
pub(super) mod unmatched;
