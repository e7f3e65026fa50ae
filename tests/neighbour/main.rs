//! Black-box tests: what another process can do to the same files while a tool runs. It renames, cuts off, replaces, makes the
//! destination first, or puts a symbolic link in the place of a directory, and that at the worst moment.

#[path = "../support/mod.rs"]
mod support;

mod gen_tree;
mod index;
mod journals;
mod mv_copy;
mod mv_files;
mod mv_places;
mod plans;
mod random;
mod seal;
mod terminal;
