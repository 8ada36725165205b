//! The day that the simulated services show.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::civil::Date;

use crate::simulator::working_days::{date_of, day_number};

/// The day whose evening the portal shows. All clones share the day.
#[derive(Debug, Clone)]
pub struct SimulatedDay(Arc<AtomicI64>);

impl SimulatedDay {
    #[must_use]
    pub fn new(day: Date) -> Self {
        Self(Arc::new(AtomicI64::new(day_number(day))))
    }

    pub fn set(&self, day: Date) {
        self.0.store(day_number(day), Ordering::Relaxed);
    }

    #[must_use]
    pub fn get(&self) -> Date {
        date_of(self.0.load(Ordering::Relaxed))
    }
}
