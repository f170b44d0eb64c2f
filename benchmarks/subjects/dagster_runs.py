"""Dagster: runs submitted to its webserver over GraphQL until a client has seen their end:
``dagster_runs.py PORT ROUNDS``. ``called``: the job in this process, with the same instance.

The client asks every 20 ms; the stream that Dagster has is of the log of a run, over a WebSocket.
"""

import json
import sys
import time
import urllib.request

import dagster
import dagster_three

LAUNCH = """mutation($p: ExecutionParams!) {
  launchRun(executionParams: $p) { __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } }
}"""
STATUS = "query($r: ID!) { runOrError(runId: $r) { ... on Run { status } } }"
REPOSITORY = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }"


def ask(query: str, **variables: object) -> dict:
    request = urllib.request.Request(
        f"http://127.0.0.1:{sys.argv[1]}/graphql",
        json.dumps({"query": query, "variables": variables}).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["data"]


def main() -> None:
    rounds = int(sys.argv[2])
    found = ask(REPOSITORY)["repositoriesOrError"]["nodes"][0]
    selector = {
        "repositoryName": found["name"],
        "repositoryLocationName": found["location"]["name"],
        "jobName": "three",
    }
    submitted = []
    for number in range(rounds + 1):
        begin = time.perf_counter()
        run = ask(LAUNCH, p={"selector": selector, "mode": "default"})["launchRun"]["run"]["runId"]
        while (status := ask(STATUS, r=run)["runOrError"]["status"]) not in ("SUCCESS", "FAILURE"):
            assert time.perf_counter() < begin + 120
            time.sleep(0.02)
        assert status == "SUCCESS", status
        if number:
            submitted.append(time.perf_counter() - begin)
    called = []
    with dagster.DagsterInstance.get() as instance:
        for number in range(rounds + 1):
            begin = time.perf_counter()
            assert dagster_three.three.execute_in_process(instance=instance).success
            if number:
                called.append(time.perf_counter() - begin)
    print(json.dumps({"submitted": submitted, "called": called}))


if __name__ == "__main__":
    main()
