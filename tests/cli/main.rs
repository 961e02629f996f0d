//! The command as its users meet it: the real binary in a folder of its own.

mod help;
mod kill;
mod output;
mod project;
mod synth;
