//! What the command's exit code says.

/// Everything matched, or everything inspected was in order.
pub const CLEAN: u8 = 0;
/// The run was made and breaks are open; or the inspected file has rows or totals that are off.
pub const BREAKS: u8 = 1;
/// The command line is wrong. (Clap exits with this code too.)
pub const USAGE: u8 = 2;
/// An input file cannot be read, or not as what it should be.
pub const INPUT: u8 = 3;
/// The ruleset is wrong.
pub const RULES: u8 = 4;
/// An input holds card data; nothing was matched and nothing written.
pub const CARD_DATA: u8 = 5;
/// An output cannot be written.
pub const OUTPUT: u8 = 6;
/// A variable of the environment is missing or wrong.
pub const CONFIG: u8 = 7;
/// The service cannot start or does not answer; or the audit log that is to be verified is not there.
pub const SERVICE: u8 = 8;
/// The engine found a fault in itself.
pub const BUG: u8 = 70;

/// The table for the help text.
pub const HELP: &str = "Exit codes:
  0  everything matched (inspect, rules check: everything in order; verify-proof: what was checked holds)
  1  breaks are open (inspect: rows were refused or totals are off; rules diff, migrate: something differs;
     verify-audit: the log was tampered with; repair-audit: so was one, which is left as it is; verify-proof: the proof does not hold)
  2  wrong command line
  3  an input cannot be read
  4  the ruleset is wrong
  5  an input holds card data; nothing was matched and nothing written
  6  an output cannot be written
  7  a variable of the environment is missing or wrong
  8  the service cannot start, or does not answer (verify-audit: there is no such log, or it cannot be opened)
  70 the engine found a fault in itself";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_lists_every_code() {
        for code in [CLEAN, BREAKS, USAGE, INPUT, RULES, CARD_DATA, OUTPUT, CONFIG, SERVICE, BUG] {
            assert!(HELP.lines().any(|line| line.trim_start().starts_with(&format!("{code} "))), "{code}");
        }
    }
}
