//! What older clients and operators rely on, row by row: `rows.md` is the list, `rows` checks it, the rest are tests of
//! rows that no other file shows.

mod cors;
mod messages;
mod recipes;
mod routes;
mod rows;
mod rules;
mod storage;
