package python

// Host is what the code of the files is read for: it is asked about what lies outside of them, and hears of what is not
// understood. It is called by one goroutine at a time.
type Host interface {
	// ImportName is what `import path` gives in m when it is among the files, nil when it is not. A relative import keeps
	// its leading dots: ".types.User".
	ImportName(m *Module, path string) Value
	// CallExt calls a name from outside of the files, spelt as canonical does. A method of a schema object that touches
	// the database comes by its class, "sa.Table.create", with the object as its first argument. ok is false when the host has nothing
	// to say of it.
	CallExt(x *Interp, path string, a Args) (v Value, ok bool)
	// Gap hears of code that is not understood; refused says that Python would stop there with an error.
	Gap(x *Interp, n *Node, reason string, refused bool)
}

// Watcher is a Host that sees more.
type Watcher interface {
	// Called hears of every call before it is made; ok is true when v is to be taken for its result.
	Called(x *Interp, callee Value, a Args) (v Value, ok bool)
	// ClassAttribute is an attribute of a class of the files that the class itself does not define.
	ClassAttribute(x *Interp, c *Class, name string) (v Value, ok bool)
}

// Object is a value of the host's with a behaviour of its own; Python takes it for true.
type Object interface {
	Attribute(x *Interp, name string) Value // method{o, name} for what can be called
	CallMethod(x *Interp, name string, a Args) Value
}

// Namespace is an object that `from … import *` takes names from.
type Namespace interface {
	Names() map[string]Value
}

// Callable is an object that can be called itself.
type Callable interface {
	Call(x *Interp, a Args) Value
}

// ContextManager is an object that a with statement takes.
type ContextManager interface {
	// Enter is Python's __enter__: what the statement binds, and what is done at its end.
	Enter(x *Interp) (Value, func())
}
