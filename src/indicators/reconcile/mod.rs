//! Portal against post: for each dossier that one of them connects with the post, whether the two agree.
//!
//! What is compared are the facts that decide the postal ratios: of the dossiers that a ratio counts, those on one side only
//! are its unmatched share. Every item is either of a dossier that can have a class, or on the list of items without one.
//! Nothing is joined by guess: an item whose code no dossier has is listed with the codes that are near.
//!
//! [`compare_national`] puts the night's own counts beside those of the national evaluation.

mod classes;
mod national;
mod near_codes;
mod unmatched_items;

pub use self::classes::{
    ClassCount, PostDirection, ReconcileClass, ReconcilePage, ReconciledDossier, Reconciliation, reconcile,
};
pub use self::national::{
    NationalClass, NationalPair, NationalReconciliation, NationalRow, SideCounts, compare_national,
};
pub use self::unmatched_items::{ItemProblem, UnmatchedItem, UnmatchedItems, count_unmatched_items, unmatched_items};
