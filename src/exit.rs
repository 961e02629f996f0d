//! Every exit code, in one list that the help, the man page and the reference read.

use std::process;

/// An exit code and what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// The number that the process ends with.
    pub code: u8,
    /// What it means, for the help and the man page.
    pub meaning: &'static str,
}

/// Done.
pub const OK: Exit = Exit { code: 0, meaning: "done; with --check, every file is up to date" };
/// A bug in txnr, or something that nobody thought of.
pub const UNEXPECTED: Exit = Exit { code: 1, meaning: "a bug in txnr, or a failure that fits nothing below" };
/// The command line is wrong. The number is the one that clap ends with.
pub const USAGE: Exit =
    Exit { code: 2, meaning: "the command line is wrong, or names an environment that does not exist" };
/// An environment file or a file of prices is wrong.
pub const INVALID: Exit = Exit {
    code: 3,
    meaning: "an environment file or a file of prices holds mistakes; every one is reported",
};
/// `--check` found files that are not what would be written.
pub const OUT_OF_DATE: Exit = Exit { code: 4, meaning: "--check: files are not what synth would write" };
/// The output cannot be written.
pub const CANNOT_WRITE: Exit = Exit {
    code: 5,
    meaning: "the output cannot be written: no space, no right, or a file that txnr did not write is in the way",
};
/// An environment file cannot be read.
pub const CANNOT_READ: Exit =
    Exit { code: 6, meaning: "an environment file or the folder of them cannot be read" };

/// A scanner's finding has no exception, or an exception no finding.
pub const FINDINGS: Exit = Exit {
    code: 7,
    meaning: "findings: a finding has no exception, or an exception no finding, reason or day",
};

/// A plan would do what was not shown.
pub const UNSHOWN: Exit = Exit {
    code: 8,
    meaning: "compare-plans, verify-plan: the plan does what was not shown, or not foreseen",
};

/// A control is violated.
pub const VIOLATED: Exit = Exit {
    code: 9,
    meaning: "check: a control is violated without a deviation, or a deviation has expired or is idle",
};

/// A command of a procedure failed.
pub const STEP_FAILED: Exit =
    Exit { code: 10, meaning: "restore --run: a command failed; mend the cause and go on with --from" };

/// A change has a consequence that was to fail.
pub const CONSEQUENCE: Exit = Exit {
    code: 11,
    meaning: "diff: the change has, or may have, a consequence that --fail-on names and nobody acknowledged, or an acknowledgement has expired or is idle",
};

/// An address that holds data would vanish.
pub const VANISHED: Exit = Exit {
    code: 12,
    meaning: "synth: an address that holds data would vanish, and the environment file does not say that it may",
};

/// There is no program that could call AWS, or it knows no credentials.
pub const NO_AWS: Exit = Exit {
    code: 13,
    meaning: "status, logs, exec, restore --run: no AWS CLI that is recent enough, no session-manager-plugin, or no credentials",
};

/// The credentials are not of the environment's account.
pub const OTHER_ACCOUNT: Exit = Exit {
    code: 14,
    meaning: "status, logs, exec, restore --run: the credentials are of another account; nothing was called",
};

/// AWS refused, or its answer cannot be read.
pub const AWS_FAILED: Exit =
    Exit { code: 15, meaning: "status, logs, exec: a call of AWS failed, or its answer cannot be read" };

/// There is nothing that a session could be opened in.
pub const NO_SESSION: Exit =
    Exit { code: 16, meaning: "exec: no such task runs, or the environment file lets no session in" };

/// Something else is reached than what is expected.
pub const REACH: Exit =
    Exit { code: 17, meaning: "reach --check: something else is reached than envs/NAME.reach says" };

/// Every exit code, in the order of the numbers.
pub const ALL: [Exit; 18] = [
    OK,
    UNEXPECTED,
    USAGE,
    INVALID,
    OUT_OF_DATE,
    CANNOT_WRITE,
    CANNOT_READ,
    FINDINGS,
    UNSHOWN,
    VIOLATED,
    STEP_FAILED,
    CONSEQUENCE,
    VANISHED,
    NO_AWS,
    OTHER_ACCOUNT,
    AWS_FAILED,
    NO_SESSION,
    REACH,
];

/// The list as it stands in the help.
#[must_use]
pub fn table() -> String {
    ALL.iter().map(|exit| format!("  {}  {}\n", exit.code, exit.meaning)).collect()
}

impl From<Exit> for process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code)
    }
}

/// Makes a panic end the process with [`UNEXPECTED`] instead of a signal, behind a request to report it.
pub fn report_panics() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        default(panic);
        eprintln!("txnr: this is a bug; please report it with the lines above and the environment file");
        process::exit(UNEXPECTED.code.into());
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_numbered_without_gaps() {
        let codes: Vec<u8> = ALL.iter().map(|exit| exit.code).collect();
        assert_eq!(codes, (0..).take(ALL.len()).collect::<Vec<u8>>());
    }
}
