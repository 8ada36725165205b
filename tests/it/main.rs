//! The integration tests: one binary, because each links hundreds of megabytes.

mod annex;
mod conformance;
mod dependencies;
mod desk;
mod doc_names;
mod documents;
mod drafts;
mod explain;
mod faults;
mod file_servers;
mod folders;
mod imports;
mod memory_bounds;
mod ministries;
mod office;
mod older_folder;
mod pages;
mod postgres;
mod receipt_log;
mod reference;
mod runs;
mod safety;
mod same_province;
mod service;
mod services;
mod vocabulary;
