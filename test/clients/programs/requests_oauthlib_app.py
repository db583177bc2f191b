"""requests-oauthlib in Flask, as its example of a web application has it. It knows OAuth 2.0 alone: no discovery, no ID token."""

import os

import requests
from flask import Flask, jsonify, redirect, request, session
from requests_oauthlib import OAuth2Session

app = Flask(__name__)
app.secret_key = "a-secret-of-the-application-0123456789"
address = os.environ["APP_URL"]
client_id = os.environ["CLIENT_ID"]
client_secret = os.environ["CLIENT_SECRET"]
server = requests.get(os.environ["ISSUER"] + "/.well-known/openid-configuration", timeout=10).json()
# A cookie is too small for tokens.
kept = {}


@app.get("/login")
def login():
    gatehouse = OAuth2Session(client_id, redirect_uri=f"{address}/callback", scope=["openid", "profile", "email"])
    url, session["state"] = gatehouse.authorization_url(server["authorization_endpoint"])
    return redirect(url)


@app.get("/callback")
def callback():
    gatehouse = OAuth2Session(client_id, redirect_uri=f"{address}/callback", state=session["state"])
    kept["token"] = gatehouse.fetch_token(
        server["token_endpoint"], client_secret=client_secret, authorization_response=request.url
    )
    return redirect("/")


@app.get("/")
@app.get("/userinfo")
def profile():
    gatehouse = OAuth2Session(client_id, token=kept["token"])
    return jsonify(gatehouse.get(server["userinfo_endpoint"]).json())


@app.get("/refresh")
def refresh():
    before = kept["token"]
    gatehouse = OAuth2Session(client_id, token=before)
    kept["token"] = gatehouse.refresh_token(
        server["token_endpoint"], client_id=client_id, client_secret=client_secret
    )
    return jsonify(renewed=kept["token"]["access_token"] != before["access_token"])


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]))
