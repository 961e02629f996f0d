//! Sizes of a Fargate task.

use super::Invalid;
use serde::Serialize;

/// A pair of CPU and memory that Fargate offers.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FargateSize {
    cpu_units: u32,
    memory_mib: u32,
}

/// CPU units, then the smallest and the largest memory and the step between, in MiB. 256 CPU units take 512, 1024 and
/// 2048 only, which no step describes, so it is spelled out in `memories`.
const STEPS: [(u32, u32, u32, u32); 6] = [
    (512, 1_024, 4_096, 1_024),
    (1_024, 2_048, 8_192, 1_024),
    (2_048, 4_096, 16_384, 1_024),
    (4_096, 8_192, 30_720, 1_024),
    (8_192, 16_384, 61_440, 4_096),
    (16_384, 32_768, 122_880, 8_192),
];

impl FargateSize {
    /// Every CPU size, in CPU units (1,024 are one vCPU).
    pub const CPU_UNITS: [u32; 7] = [256, 512, 1_024, 2_048, 4_096, 8_192, 16_384];

    /// The pair, if Fargate offers it.
    ///
    /// # Errors
    /// When the CPU size does not exist, or does not go with that much memory; the error lists what does.
    pub fn new(cpu_units: u32, memory_mib: u32) -> Result<Self, Invalid> {
        let Some(allowed) = memories(cpu_units) else {
            return Err(Invalid::new(
                format!("Fargate has no tasks of {cpu_units} CPU units"),
                format!("one of {}", list(&Self::CPU_UNITS)),
            ));
        };
        if allowed.contains(&memory_mib) {
            return Ok(Self { cpu_units, memory_mib });
        }
        Err(Invalid::new(
            format!("Fargate does not offer {memory_mib} MiB of memory with {cpu_units} CPU units"),
            format!("with {cpu_units} CPU units one of {}", list(&allowed)),
        ))
    }

    /// CPU units; 1,024 are one vCPU.
    #[must_use]
    pub const fn cpu_units(self) -> u32 {
        self.cpu_units
    }

    /// Memory in MiB.
    #[must_use]
    pub const fn memory_mib(self) -> u32 {
        self.memory_mib
    }
}

fn memories(cpu_units: u32) -> Option<Vec<u32>> {
    if cpu_units == 256 {
        return Some(vec![512, 1_024, 2_048]);
    }
    let (_, min, max, step) = STEPS.iter().find(|(cpu, ..)| *cpu == cpu_units)?;
    Some((*min..=*max).step_by(*step as usize).collect())
}

fn list(numbers: &[u32]) -> String {
    numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cpu_size_has_memory_sizes() {
        for cpu in FargateSize::CPU_UNITS {
            let sizes = memories(cpu).expect("a known CPU size");
            assert!(sizes.iter().all(|memory| FargateSize::new(cpu, *memory).is_ok()));
        }
        assert_eq!(memories(4_096).map(|m| m.len()), Some(23));
        assert_eq!(memories(16_384).map(|m| m.len()), Some(12));
    }

    #[test]
    fn the_errors_name_what_is_offered() {
        let no_cpu = FargateSize::new(300, 512).expect_err("no such CPU size");
        assert_eq!(no_cpu.allowed, "one of 256, 512, 1024, 2048, 4096, 8192, 16384");
        let no_memory = FargateSize::new(256, 4_096).expect_err("no such pair");
        assert_eq!(no_memory.allowed, "with 256 CPU units one of 512, 1024, 2048");
    }
}
