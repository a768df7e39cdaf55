// Package plan is the driver of this module's state machines: a rollout, a switchover, a rotation of mail hosts. Planning is pure and
// belongs to its package; what comes out is a [Plan], a printable list of named steps; here it is run so that a crash, an error or a
// full disk at any moment leaves something from which it can be resumed or undone.
//
// # Invariants
//
//  1. What a step does is recorded as intended, on disk, before it is done. So whatever has been done is in the journal.
//  2. A step that was intended is undone when a later one fails, unless a step without return ([Step.NoReturn]) has been intended: from
//     then on there is only forward.
//  3. What Check finds done that was never intended is somebody else's work, and is not undone.
//  4. The world decides. A journal says what may have been done; Check, Do and Undo are idempotent, so that whoever resumes asks
//     rather than believes. If a record cannot be written, the undo goes on unrecorded.
//  5. One controller at a time: the journal is locked (flock, which ends with the process).
//
// # The journal
//
// A file of lines of JSON, mode 0600, that a person can read. The first holds the plan: its kind and version, the names of its steps, and
// what the planner was given ([Plan.Data]), so that the same plan can be made again. Then each step has a line of its own for
// each of its four events, and the plan two, all of a fixed length, and written over in place: the space for every record, the undo's
// included, is there before the first step is begun (on a file system that copies on write an overwritten block may need a new one all the
// same: then invariant 4 holds). A line that was being written when the machine stopped fails its checksum, and
// counts as what is safe: intended, but not done. A journal of another version is refused, never guessed at.
package plan
