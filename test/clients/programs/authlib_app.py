"""Authlib in Flask, as its documentation of the Flask client sets it up."""

import os

from authlib.integrations.flask_client import OAuth
from flask import Flask, jsonify, redirect, session

app = Flask(__name__)
app.secret_key = "a-secret-of-the-application-0123456789"
address = os.environ["APP_URL"]

oauth = OAuth(app)
oauth.register(
    name="gatehouse",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=os.environ["ISSUER"] + "/.well-known/openid-configuration",
    client_kwargs={"scope": "openid profile email"},
)
# A cookie is too small for tokens.
kept = {}


@app.get("/login")
def login():
    return oauth.gatehouse.authorize_redirect(f"{address}/callback")


@app.get("/callback")
def callback():
    kept["token"] = oauth.gatehouse.authorize_access_token()
    session["user"] = kept["token"]["userinfo"]
    return redirect("/")


@app.get("/")
def profile():
    return jsonify(session["user"])


@app.get("/refresh")
def refresh():
    before = kept["token"]
    kept["token"] = before | oauth.gatehouse.fetch_access_token(
        grant_type="refresh_token", refresh_token=before["refresh_token"]
    )
    return jsonify(renewed=kept["token"]["access_token"] != before["access_token"])


@app.get("/userinfo")
def userinfo():
    return jsonify(oauth.gatehouse.userinfo(token=kept["token"]))


@app.get("/logout")
def logout():
    session.pop("user", None)
    return oauth.gatehouse.logout_redirect(
        post_logout_redirect_uri=f"{address}/signed-out", id_token_hint=kept["token"]["id_token"]
    )


@app.get("/signed-out")
def signed_out():
    oauth.gatehouse.validate_logout_response()
    return jsonify({})


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]))
