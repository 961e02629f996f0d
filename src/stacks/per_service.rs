//! What each service of an environment has one of.

use crate::config::{EnvConfig, Workload};

/// One of something for each service.
pub struct PerService<T> {
    /// The main service's.
    pub main: T,
    /// The others', in the order of the environment's services.
    further: Vec<T>,
}

impl<T> PerService<T> {
    /// Makes one for each service, the main one's first.
    pub fn build(config: &EnvConfig, mut make: impl FnMut(Workload<'_>) -> T) -> Self {
        let main = make(config.main_service());
        Self { main, further: config.workloads().skip(1).map(make).collect() }
    }

    /// That of a service.
    #[must_use]
    pub fn of(&self, workload: Workload<'_>) -> &T {
        match workload.place {
            None => &self.main,
            Some(place) => &self.further[place],
        }
    }

    /// That of a service, to be changed.
    pub fn of_mut(&mut self, workload: Workload<'_>) -> &mut T {
        match workload.place {
            None => &mut self.main,
            Some(place) => &mut self.further[place],
        }
    }

    /// All of them, the main service's first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.main).chain(&self.further)
    }
}
