//! A harvester: another program that writes chat into a `messages` table of its own file, which is read here.

pub mod file;
pub mod sql;

mod create;
mod table;
#[cfg(test)]
mod tests;
