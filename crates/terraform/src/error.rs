//! What can be wrong with a module.

use std::fmt;

/// One fault of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// Two blocks have one address, or two locals, outputs or providers one name.
    Duplicate {
        /// What there are two of, such as `resource aws_vpc.main`.
        what: String,
    },
    /// A name that Terraform does not take as an identifier.
    Name {
        /// What bears the name.
        what: String,
    },
    /// Template characters where Terraform takes text literally.
    Template {
        /// Where, such as `backend.key`.
        place: String,
        /// The text.
        text: String,
    },
    /// A block refers to one that belongs to another module.
    Foreign {
        /// The block that refers.
        from: String,
        /// The address it refers to.
        to: String,
    },
    /// More nested blocks than the provider takes.
    TooMany {
        /// The block.
        address: String,
        /// The nested block's name.
        block: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        max: usize,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate { what } => write!(f, "{what} is declared twice; give one of them another name"),
            Self::Name { what } => {
                write!(f, "{what} is not an identifier; use letters, digits and underscores, a letter first")
            }
            Self::Template { place, text } => write!(
                f,
                "{place} is taken literally by Terraform, yet \"{text}\" has template characters; write the \
                 value itself, without ${{ or %{{"
            ),
            Self::Foreign { from, to } => {
                write!(f, "{from} refers to {to}, which belongs to another module; pass its value instead")
            }
            Self::TooMany { address, block, count, max } => {
                write!(f, "{address} has {count} `{block}` blocks; the provider takes at most {max}")
            }
        }
    }
}

/// Every fault of a module, in the order in which they were found; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errors(pub Vec<Error>);

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}
