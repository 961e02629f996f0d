//! The services of an environment, one after the other: the main one and those beside it.

use super::EnvConfig;
use super::section::{FurtherService, Service};
use super::value::ImageRef;

/// A service of the environment, as the stacks go through them: what is built for one is built for all.
#[derive(Debug, Clone, Copy)]
pub struct Workload<'c> {
    /// What both kinds have in common.
    pub service: &'c Service,
    /// What only a service beside the main one has.
    pub further: Option<&'c FurtherService>,
    /// Its place among those beside the main one.
    pub(crate) place: Option<usize>,
}

impl<'c> Workload<'c> {
    /// Its name where there may be several: none for the main service.
    #[must_use]
    pub fn name(self) -> Option<&'c str> {
        self.further.map(|further| further.service.name.as_str())
    }

    /// The Terraform name of a part of it, which for the main service is the part's own. Two underscores never stand in
    /// what an environment file names, so a service's parts share no address with another's.
    #[must_use]
    pub fn address(self, part: &str) -> String {
        let Some(name) = self.name() else { return part.to_owned() };
        let name = name.replace('-', "_");
        if part == MAIN { name } else { format!("{name}__{part}") }
    }

    /// What the name of a part of it ends in at AWS: `task` of the main service, `back-office-task` of another.
    #[must_use]
    pub fn suffix(self, part: &str) -> String {
        self.name().map_or_else(|| part.to_owned(), |name| format!("{name}-{part}"))
    }
}

/// The part that there is once: the Terraform name of it is the service's.
const MAIN: &str = "main";

impl EnvConfig {
    /// The environment as it will be once every service has an image. The roles of workflows exist before the first image
    /// does, and have to be able to deploy it.
    #[must_use]
    pub fn with_images(&self) -> Self {
        let mut all = self.clone();
        let further = all.services.values_mut().map(|further| &mut further.service);
        for service in std::iter::once(&mut all.service).chain(further) {
            service.image.get_or_insert_with(|| ImageRef::Tag("first".to_owned()));
        }
        all
    }

    /// The main service.
    #[must_use]
    pub fn main_service(&self) -> Workload<'_> {
        Workload { service: &self.service, further: None, place: None }
    }

    /// Every service, the main one first and the others in the order of their names.
    pub fn workloads(&self) -> impl Iterator<Item = Workload<'_>> {
        let further = self.services.values().enumerate().map(|(place, further)| Workload {
            service: &further.service,
            further: Some(further),
            place: Some(place),
        });
        std::iter::once(self.main_service()).chain(further)
    }
}
