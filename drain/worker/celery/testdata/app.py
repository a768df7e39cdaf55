"""Celery's side of the tests: tasks for a worker in Python, and, run as a program, a producer that is told on standard input what
to send and to wait for, one JSON object a line, and answers likewise."""
import json
import os
import sys

from celery import Celery, chain, group

app = Celery("tasks", broker=os.environ["BROKER"], backend=os.environ["BROKER"])
app.conf.update(json.loads(os.environ.get("CONF", "{}")))


@app.task(name="tasks.add")
def add(a, b):
    return a + b


@app.task(name="tasks.mark", bind=True)
def mark(self):
    return {"by": "python", "redelivered": bool((self.request.delivery_info or {}).get("redelivered")), "priority": (self.request.delivery_info or {}).get("priority")}


def describe(result, timeout):
    try:
        return {"state": "SUCCESS", "value": result.get(timeout=timeout)}
    except Exception as e:  # whatever the task raised
        return {"state": result.state, "type": type(e).__name__, "text": str(e), "traceback": result.traceback}


def main():
    results = {}
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "send":
            r = app.send_task(order["name"], args=order.get("args"), kwargs=order.get("kwargs"), **(order.get("options") or {}))
            results[r.id] = r
            answer = {"id": r.id}
        elif order["do"] == "group":
            r = group(app.signature(s["name"], args=s["args"]) for s in order["tasks"]).apply_async()
            answer = {"value": r.get(timeout=order["timeout"])}
        elif order["do"] == "chain":
            r = chain(*(app.signature(s["name"], args=s["args"]) for s in order["tasks"])).apply_async()
            answer = {"id": r.parent.id}
        elif order["do"] == "get":
            r = results.get(order["id"]) or app.AsyncResult(order["id"])
            answer = describe(r, order["timeout"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
